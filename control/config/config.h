#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/peer_name.h"
#include "base/peer_rules.h"
#include "base/time.h"
#include "control/config/program_config.h"
#include "dataplane/admission/handshake_limits.h"
#include "dataplane/admission/wrap_types.h"
#include "dataplane/channel/aead_engine.h"
#include "dataplane/channel/data_cipher.h"
#include "dataplane/channel/mss_fix.h"

/// What a configuration says, after parsing: plain structs with defaults and limits. Pure values.
namespace ringway {

/// Which families a listener serves. OpenVPN's `proto udp` means IPv4 only; here it means both.
enum class LinkFamily : std::uint8_t { Both, V4Only, V6Only };

/// Sockets of one worker, and so addresses times ports that one process serves.
inline constexpr std::size_t kListenersMax = 16;

struct ListenConfig {
  /// Unset: every address.
  std::optional<IpAddress> address;
  std::uint16_t port = 1194;
  LinkFamily family = LinkFamily::Both;
  bool is_tcp = false;
  /// As written, e.g. "udp6", for the start-up log and --print-config.
  std::string proto_text = "udp";
  /// `local NAME`: looked up at start, when a listener is made of each of its addresses. Those keep
  /// the name for the log.
  std::string host;
  /// The interface of a link-local address: "eth0" of `local fe80::1%eth0`.
  std::string scope;
  /// The line, for error messages.
  std::string where;
};

/// What decides about the way of outer packets besides their addresses.
struct OutsideRoute {
  /// `bind-dev`: an interface or a VRF; empty: all.
  std::string device;
  /// `mark`: the firewall mark of all that is sent; 0: none.
  std::uint32_t mark = 0;
};

/// A file named in the configuration, or its inline text. `text` is filled by load_files().
struct FileOrInline {
  std::string path;
  std::string text;
  bool is_inline = false;
  /// "server.conf:12", for error messages.
  std::string where;
  [[nodiscard]] bool is_set() const { return is_inline || !path.empty(); }
};

enum class WrapMode : std::uint8_t { None, TlsAuth, TlsCrypt };
enum class VerifyClientCert : std::uint8_t { Require, Optional, None };

struct TlsConfig {
  FileOrInline ca;
  FileOrInline cert;
  FileOrInline key;
  FileOrInline key_passphrase;  ///< `askpass`: the first line
  FileOrInline extra_certs;
  FileOrInline ca_directory;  ///< `capath`; load_files() adds its certificates to `ca`
  FileOrInline dh;            ///< unset or `none`: ECDHE only
  FileOrInline crl;
  /// `crl-verify DIR dir`: a file named by the serial number in decimal revokes it.
  bool crl_is_directory = false;
  std::string version_min = "1.2";
  std::string groups;        ///< empty: the library's
  std::string cipher_list;   ///< TLS 1.2, OpenSSL or IANA names
  std::string ciphersuites;  ///< TLS 1.3
  std::string cert_profile = "legacy";
  VerifyClientCert verify_client_cert = VerifyClientCert::Require;
  bool remote_cert_tls = false;
  /// `verify-x509-name`; empty: any name.
  std::string peer_name;
  PeerNameMatch peer_name_match = PeerNameMatch::Subject;
  PeerRules rules;
};

struct WrapConfig {
  WrapMode mode = WrapMode::None;
  FileOrInline key;
  std::optional<int> direction;
  Digest auth = Digest::Sha1;  ///< `auth`; protects tls-auth packets
  FileOrInline v2_key;         ///< `tls-crypt-v2`: the server's key, or a client's own
  bool v2_force_cookie = false;
  Duration v2_age_max{0};  ///< `tls-crypt-v2-max-age`; 0: any
};

/// Addresses from the first to the last, both included, of one family.
struct AddressRange {
  IpAddress first;
  IpAddress last;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

/// Who has which address is asked of control/config/tunnel_addresses.h.
struct TunnelConfig {
  std::string device;                ///< "tun" (the kernel numbers it) or a name
  std::optional<Prefix> network_v4;  ///< `server`, or that of `ifconfig`
  std::optional<Prefix> network_v6;  ///< `server-ipv6`, or that of `ifconfig-ipv6`
  /// `ifconfig`, `ifconfig-ipv6`: the server's own; unset: the first of the network.
  std::optional<IpAddress> address_v4;
  std::optional<IpAddress> address_v6;
  /// Clients are given addresses as they come. False with `server ... nopool`, and with `ifconfig`
  /// that no `ifconfig-pool` accompanies.
  bool pool_v4 = true;
  bool pool_v6 = true;
  /// `ifconfig-pool`, `ifconfig-ipv6-pool`; unset: what `server` and `server-ipv6` imply.
  std::optional<AddressRange> range_v4;
  std::optional<AddressRange> range_v6;
  std::uint16_t mtu = 1500;
  std::uint32_t txqueuelen = 0;  ///< 0: the kernel's
  std::vector<Prefix> routes;    ///< of the server's host, into the tunnel
  MssFix mssfix;
  /// Datagrams have the DSCP of the packet inside.
  bool passtos = false;
};

/// `inactive SECONDS [BYTES]`: who has less than so many bytes of packets in so much time is idle.
/// No time: nobody is.
struct ActivityLimit {
  Duration time{0};
  std::uint64_t bytes = 0;
  friend bool operator==(const ActivityLimit&, const ActivityLimit&) = default;
};

struct TimerConfig {
  Duration ping{0};
  Duration ping_restart{0};  ///< on the server: twice what is pushed
  Duration renegotiate{3600s};
  /// `reneg-sec MAX MIN`: lower end of the server's jitter; 0: nine tenths of the maximum.
  Duration renegotiate_min{0};
  std::uint64_t renegotiate_bytes = 0;    ///< 0: off
  std::uint64_t renegotiate_packets = 0;  ///< 0: off
  ActivityLimit inactive;
  Duration session_timeout{0};  ///< 0: sessions have no end
  Duration hand_window{60s};
  Duration tran_window{3600s};
  Duration tls_timeout{1s};  ///< OpenVPN waits 2
};

/// How workers use the kernel and the cores. The defaults use all that there is.
struct WorkerConfig {
  std::uint32_t count = 0;  ///< `workers`; 0: the cores allowed to the process
  enum class Pinning : std::uint8_t {
    Auto,  ///< when every core gets exactly one worker, and the process has its cores to itself
    Off,
    Listed,  ///< worker i on the i-th of `cores`, round and round
  } pinning = Pinning::Auto;
  std::vector<unsigned> cores;

  bool gso = true;             ///< UDP_SEGMENT; `no-gso`
  bool gro = true;             ///< UDP_GRO; `no-gro`
  bool tso = true;             ///< TCP super-packets on the TUN, both ways; `no-tso`
  bool uso = true;             ///< UDP super-packets on the TUN, both ways; `no-uso`
  bool like_6_1 = false;       ///< `kernel-profile 6.1`: nothing that Linux 6.1 lacks
  Duration batch_delay{50us};  ///< `batch-delay-us`; 0: off
  Duration busy_poll{0};       ///< `busy-poll-us`; 0: off
};

/// What becomes of a thread that makes a system call which it does not need; `seccomp`.
enum class SeccompMode : std::uint8_t { Kill, Log, Off };

/// `auth-gen-token`: clients that have logged in get a token in their password's place.
struct TokenConfig {
  bool enabled = false;
  Duration lifetime{0};  ///< from the login on; 0: for ever
  Duration renewal{0};
  /// The program judges tokens, too.
  bool external = false;
  FileOrInline secret;  ///< unset: made at start
};

struct ServerConfig {
  std::string source;                ///< the file's path
  std::vector<ListenConfig> listen;  ///< at least one; those of UDP first
  TlsConfig tls;
  WrapConfig wrap;
  TunnelConfig tunnel;
  TimerConfig timers;
  ProgramConfig programs;
  TokenConfig tokens;
  /// `client-config-dir`; empty: none.
  std::string client_config_directory;
  bool client_config_exclusive = false;  ///< `ccd-exclusive`
  std::uint32_t routes_per_client_max = 256;

  std::vector<DataCipher> data_ciphers = {DataCipher::Aes256Gcm, DataCipher::Aes128Gcm,
                                          DataCipher::ChaCha20Poly1305};
  /// For clients that say nothing of ciphers at all.
  std::optional<DataCipher> data_cipher_fallback;
  bool force_tls_key_export = false;  ///< `force-tls-key-material-export`
  /// Ready-made options in the order to push them, `push` lines and what helpers imply; without
  /// what is the client's own (ifconfig, peer-id, cipher).
  std::vector<std::string> push;
  std::string pool_persist_file;
  Duration pool_persist_interval{600s};
  bool duplicate_cn = false;
  bool client_to_client = false;
  std::uint32_t clients_max = 1024;
  /// 0 none, 1 RESTART, 2 RESTART,[N]: what clients are told when the server stops.
  int explicit_exit_notify = 0;
  RateLimit connect_freq_initial;  ///< count 0: what the workers can answer
  RateLimit connect_freq;          ///< count 0: no limit
  RateLimit connect_freq_source = HandshakeLimits::kFromOneSource;
  std::vector<Prefix> connect_freq_shared;  ///< sources that connect_freq_source does not hold for
  /// Unset: the fastest that passes its test, for each cipher.
  std::optional<AeadEngine> aead_engine;

  WorkerConfig workers;
  std::uint32_t send_buffer = 0;     ///< sndbuf, bytes; 0: Ringway's choice
  std::uint32_t receive_buffer = 0;  ///< rcvbuf
  OutsideRoute outside;

  std::string status_file;
  Duration status_interval{60s};
  int status_version = 1;
  std::string log_file;
  bool log_append = false;
  int verb = 1;
  std::string write_pid_file;
  std::string user;
  std::string group;
  SeccompMode seccomp = SeccompMode::Kill;
  std::string working_directory;  ///< `cd`

  /// What start-up says about options that were accepted without effect and the like.
  std::vector<std::string> notes;
};

}  // namespace ringway
