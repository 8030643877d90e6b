// Says that it is LibTorch 2.7.3, for the tests of what happens with another LibTorch than the program was built for.
#include <cstdint>

extern "C" std::uint64_t aoti_torch_abi_version() { return 0x0207030000000000; }
