#include "launcher/clusters/devices.h"

#include <doctest/doctest.h>

using namespace tradewind::launcher;

TEST_CASE("what CUDA_VISIBLE_DEVICES leaves of three GPUs") {
  const std::vector<Gpu> gpus = {{"GPU-8932f937-d72c", {}}, {"GPU-8932aaaa-0000", {}}, {"GPU-1f2e3d4c-5555", {}}};
  const auto visible = [&](const char* list) { return visible_gpus(gpus, list); };
  CHECK(visible_gpus(gpus, std::nullopt) == 3);
  CHECK(visible("0,1,2") == 3);
  CHECK(visible("2") == 1);
  CHECK(visible(" 1 , 0 ") == 2);
  CHECK(visible("") == 0);
  CHECK(visible("-1") == 0);
  CHECK(visible("0,-1,1") == 1);  // the list ends there
  CHECK(visible("0,3,1") == 1);
  CHECK(visible("0,0") == 0);
  CHECK(visible("GPU-1f2e3d4c-5555,GPU-8932f937-d72c") == 2);
  CHECK(visible("GPU-1f") == 1);
  CHECK(visible("GPU-8932") == 0);  // of two
  CHECK(visible("GPU-ffff") == 0);
  CHECK(visible("NoDevFiles") == 0);
}

TEST_CASE("MIG instances") {
  const std::vector<Gpu> gpus = {{"GPU-a", {"MIG-1", "MIG-2"}}, {"GPU-b", {}}};
  CHECK(visible_gpus(gpus, std::nullopt) == 3);
  CHECK(visible_gpus(gpus, "MIG-2,MIG-1") == 2);
  CHECK(visible_gpus(gpus, "MIG-GPU-a/1/0") == 1);
  CHECK(visible_gpus(gpus, "MIG-3") == 0);
}

TEST_CASE("GPUs known by their device files only") {
  const std::vector<Gpu> gpus(2);
  CHECK(visible_gpus(gpus, std::nullopt) == 2);
  CHECK(visible_gpus(gpus, "1,2") == 1);
  CHECK(visible_gpus(gpus, "GPU-a,GPU-b") == 2);
  CHECK(visible_gpus({}, "0") == 0);
  CHECK(visible_gpus({}, "GPU-a") == 0);
}
