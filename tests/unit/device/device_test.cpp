// Which device a rank takes, and libraries that are not the worker's.
#include "worker/device/device.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/errors.h"
#include "tests/helpers/temporary_folder.h"
#include "worker/device/cuda_library.h"
#include "worker/device/visible.h"

using namespace tradewind;
using device::choose_device;
using device::Visible;

namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string choice_error(const std::optional<std::string>& wanted, const Visible& visible, int local_rank) {
  return message_of([&] { choose_device(wanted, visible, local_rank); });
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a rank takes the device of its local rank, and the only one when there is one") {
  CHECK(choose_device("cuda", {4, {}}, 2) == 2);
  CHECK(choose_device({}, {4, {}}, 3) == 3);
  CHECK(choose_device("cuda", {1, {}}, 3) == 0);
  CHECK(choose_device({}, {1, {}}, 3) == 0);
  CHECK(choose_device("cuda:1", {2, {}}, 0) == 1);
  CHECK(choose_device("cuda:1", {2, {}}, 1) == 1);
}

TEST_CASE("the CPU is taken when asked for, and when nothing is asked for and no device is visible") {
  CHECK_FALSE(choose_device("cpu", {4, {}}, 0));
  CHECK_FALSE(choose_device({}, {0, "no driver"}, 0));
}

TEST_CASE("a device that is not there is refused by name, with both numbers") {
  const std::string none = choice_error("cuda", {0, "no driver on this host"}, 0);
  CHECK(says(none, "device 'cuda' is not there: no driver on this host"));
  CHECK(says(none, "set device: cpu"));
  const std::string third = choice_error("cuda:2", {2, {}}, 0);
  CHECK(says(third, "device 'cuda:2' is not there: this process sees 2 CUDA devices"));
  const std::string more = choice_error({}, {2, {}}, 3);
  CHECK(says(more, "rank 3 of this host"));
  CHECK(says(more, "this process sees 2 CUDA devices"));
  CHECK(says(more, "at most 2 ranks"));
}

TEST_CASE("what is visible comes with a reason when it is nothing") {
  const Visible visible = device::visible_devices();
  CHECK((visible.devices > 0) == visible.reason.empty());
}

TEST_CASE("a library that is missing, broken or not ours is named") {
  const auto load = [](const std::string& path) { return message_of([&] { device::load_cuda_library(path); }); };
  CHECK(says(load("/nowhere/worker_cuda.so"), "the CUDA library does not load: /nowhere/worker_cuda.so"));

  const test::TemporaryFolder folder;
  folder.write("broken.so", "not a library");
  CHECK(says(load(folder / "broken.so"), "the CUDA library does not load"));

  CHECK(says(load("libz.so.1"), "this is not Tradewind's CUDA library"));
  CHECK(says(load(OTHER_TABLES "/other_version.so"), "has version 4, this worker needs 3"));
  CHECK(says(load(OTHER_TABLES "/other_torch.so"), "was built for LibTorch 1.0.0, this worker for 2."));
  CHECK(device::loaded_cuda() == nullptr);
}

TEST_CASE("the CPU is a device without a library") {
  const device::Device cpu = device::open_device("cpu", 0, [](const std::string& text) { FAIL(text); });
  CHECK(cpu.name() == "cpu");
  CHECK(cpu.identity.empty());
  CHECK_FALSE(cpu.peak_bytes());
}
