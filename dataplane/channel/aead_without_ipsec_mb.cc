#include "base/check.h"
#include "dataplane/channel/aead_ipsec_mb.h"

// Stands in the place of aead_ipsec_mb.cc in builds without the library: there is never an IpsecMb,
// and so nothing but open() is ever called.
namespace ringway {

bool IpsecMb::is_built_in() { return false; }

void IpsecMb::Free::operator()(IMB_MGR*) const {}

Result<IpsecMb> IpsecMb::open() {
  return fail("this Ringway is built without ipsec-mb", {},
              "write `aead-engine auto`, or build on x86-64 with libipsec-mb-dev");
}

IpsecMbGcm::IpsecMbGcm(const IpsecMb&, AeadUse, DataCipher, Bytes) : crypt_(nullptr) {
  RW_ASSERT(IpsecMb::is_built_in());
}

void IpsecMbGcm::seal(const AeadNonce&, Bytes, Bytes, MutableBytes, MutableBytes) const {}
bool IpsecMbGcm::open(const AeadNonce&, Bytes, Bytes, Bytes, MutableBytes) const { return false; }

void IpsecMbChaCha::seal(const AeadNonce&, Bytes, Bytes, MutableBytes, MutableBytes) const {
  RW_ASSERT(manager_ != nullptr);
}
bool IpsecMbChaCha::open(const AeadNonce&, Bytes, Bytes, Bytes, MutableBytes) const {
  return false;
}

}  // namespace ringway
