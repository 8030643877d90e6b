// The marks that a device's stream writes into the page, with a library that is played: what it is given waits until
// the test lets the device go on.
#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <utility>

#include "launcher/watch/page.h"
#include "launcher/watch/verdict.h"
#include "worker/device/marks.h"
#include "worker/telemetry/recorder.h"

using namespace tradewind;

namespace {

// One device for all ranks of this test, as far as memory goes; each word is told apart by its address.
struct Played {
  const char* refusal = nullptr;
  void* shared = nullptr;
  std::size_t bytes = 0;
  std::deque<std::pair<std::uint64_t*, std::uint64_t>> stream;
} played;

constexpr cuda::Functions table = {.share =
                                       [](void* memory, std::size_t bytes, void** seen) {
                                         played.shared = memory;
                                         played.bytes = bytes;
                                         *seen = memory;
                                         return played.refusal;
                                       },
                                   .mark = [](std::uint64_t* word, std::uint64_t mark) -> const char* {
                                     played.stream.emplace_back(word, mark);
                                     return nullptr;
                                   }};

device::Device played_device() {
  played = {};
  device::Device device;
  device.where = c10::Device(c10::kCUDA, 0);
  device.cuda = &table;
  return device;
}

void go_on(std::size_t marks) {
  for (; marks > 0; --marks) {
    *played.stream.front().first = played.stream.front().second;
    played.stream.pop_front();
  }
}

void follow(telemetry::Recorder& recorder, const device::Device& device) {
  recorder.follow_device(device::marks_of(device, recorder.page(), [](const std::string& text) { FAIL(text); }));
}

void call(telemetry::Recorder& recorder) { recorder.call_enqueued("all_to_all", {}, {}, {}, "halo"); }

}  // namespace

TEST_CASE("a device writes how far it has come where its launcher reads it") {
  const launcher::Page page;
  telemetry::Recorder recorder(page.descriptor());
  const device::Device device = played_device();
  follow(recorder, device);
  CHECK(played.shared == &recorder.page());
  CHECK(played.bytes == proto::telemetry_page_bytes);
  CHECK_FALSE(page.read().device_lags());

  recorder.entering("encoder");
  call(recorder);
  recorder.entering("processor layer 0");
  CHECK(page.read().device_lags());
  CHECK(page.read().reached() == 0);
  go_on(1);
  CHECK(page.read().device_progress == 1);
  go_on(1);
  CHECK(page.read().reached() == 1);
  CHECK(page.read().device_lags());
  go_on(1);
  CHECK(page.read().device_progress == (1U << proto::telemetry_mark_bits) + 1);
  CHECK_FALSE(page.read().device_lags());
}

TEST_CASE("more places than a mark has room for do not run into the collectives") {
  telemetry::Recorder recorder(-1);
  follow(recorder, played_device());
  call(recorder);
  std::uint64_t before = 0;
  for (int i = 0; i < 70000; ++i) {
    recorder.entering("layer");
    CHECK_MESSAGE(recorder.page().device_queued >= before, "marks grow");
    before = recorder.page().device_queued;
  }
  go_on(played.stream.size());
  CHECK(proto::read_page(recorder.page(), 0).reached() == 1);
}

TEST_CASE("on the CPU nothing is queued; a device that cannot write to the page is told of, and no more") {
  telemetry::Recorder recorder(-1);
  const auto fail = [](const std::string& text) { FAIL(text); };
  CHECK_FALSE(device::marks_of({}, recorder.page(), fail));
  const device::Device device = played_device();
  played.refusal = "operation not supported";
  std::string warning;
  recorder.follow_device(device::marks_of(device, recorder.page(), [&](const std::string& text) { warning = text; }));
  CHECK(warning == "the hang watch does not see how far cuda:0 has come: CUDA: operation not supported");
  recorder.entering("encoder");
  CHECK(played.stream.empty());
  CHECK(recorder.page().device_queued == 0);
}

TEST_CASE("of three ranks the one whose device stands still is named") {
  std::vector<launcher::Page> pages(3);
  std::vector<proto::RankSample> samples(3);
  for (std::size_t rank = 0; rank < 3; ++rank) {
    telemetry::Recorder recorder(pages[rank].descriptor());
    follow(recorder, played_device());
    recorder.phase("step");
    recorder.entering("encoder");
    call(recorder);
    recorder.call_started();
    recorder.call_done();  // the host waits for nothing: the devices wait for each other
    recorder.entering("processor layer 0");
    go_on(rank == 1 ? 1 : 2);
    samples[rank] = {.rank = static_cast<int>(rank), .pid = 100, .host = "here", .telemetry = pages[rank].read()};
  }
  const launcher::Verdict verdict = launcher::judge(samples);
  CHECK(verdict.finding == launcher::Finding::device);
  CHECK(verdict.culprits == std::vector<int>{1});
  CHECK(verdict.waiting == std::vector<int>{0, 2});
}
