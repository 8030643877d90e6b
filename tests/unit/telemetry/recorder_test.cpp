#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <thread>

#include "launcher/watch/page.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/forecast/recording_reporter.h"
#include "worker/dist/halo.h"
#include "worker/telemetry/watched_communicator.h"
#include "worker/telemetry/watched_reporter.h"

using namespace tradewind;
using telemetry::Recorder;

namespace {

proto::Telemetry read(const Recorder& recorder) { return proto::read_page(recorder.page(), 1LL << 62); }

}  // namespace

TEST_CASE("what a worker writes is what its launcher reads") {
  const launcher::Page page;
  CHECK_FALSE(page.read().known);
  Recorder recorder(page.descriptor());
  CHECK(page.read().known);
  CHECK(page.read().phase == "start");
  recorder.phase("step");
  recorder.step(3, 40, Time(std::chrono::seconds(1705276800)));
  recorder.entering("processor layer 7");
  const proto::Telemetry seen = page.read();
  CHECK(seen.phase == "step");
  CHECK(seen.layer == "processor layer 7");
  CHECK(seen.step == 3);
  CHECK(seen.steps == 40);
  CHECK(seen.valid_time == 1705276800);
  CHECK(seen.place_seconds < 10);
  CHECK(seen.written_step == -1);
  recorder.state_written(Duration(0));
  CHECK(page.read().written_step == 0);
}

TEST_CASE("texts that are too long are cut, of a path its beginning goes") {
  Recorder recorder(-1);
  recorder.entering(std::string(200, 'x'));
  CHECK(read(recorder).layer == std::string(63, 'x'));
  recorder.file_begins(dist::FileUse::write, std::string(1000, 'x') + "/end");
  CHECK(read(recorder).files.at(0).path == std::string(251, 'x') + "/end");
}

TEST_CASE("files are seen while they are open, from any thread, more than the page has room for too") {
  Recorder recorder(-1);
  {
    dist::FileWatch output(recorder, dist::FileUse::write, "a.grib");
    output.moved(100);
    std::thread([&] { dist::FileWatch(recorder, dist::FileUse::read, "b.grib").moved(5); }).join();
    const proto::Telemetry seen = read(recorder);
    REQUIRE(seen.files.size() == 1);
    CHECK(seen.files[0].use == "write");
    CHECK(seen.files[0].path == "a.grib");
    CHECK(seen.bytes_written == 100);
    CHECK(seen.bytes_read == 5);
  }
  CHECK(read(recorder).files.empty());
  for (int i = 0; i < 20; ++i) recorder.file_ends(recorder.file_begins(dist::FileUse::read, "c"));
  std::vector<int> open;
  open.reserve(20);
  for (int i = 0; i < 20; ++i) open.push_back(recorder.file_begins(dist::FileUse::read, "d"));
  CHECK(read(recorder).files.size() == proto::telemetry_files);
  for (const int file : open) recorder.file_ends(file);
  CHECK(read(recorder).files.empty());
}

TEST_CASE("the last calls are kept whole, oldest first") {
  Recorder recorder(-1);
  const at::Tensor rows = at::ones({3, 4});
  recorder.call_enqueued("all_to_all", rows, {1, 2}, {2, 1}, "first");
  CHECK(read(recorder).earlier.empty());
  for (int call = 2; call <= 20; ++call) recorder.call_enqueued("all_to_all", rows, {call, 0}, {0, call}, "later");
  const proto::Telemetry seen = read(recorder);
  CHECK(seen.call.sequence == 20);
  REQUIRE(seen.earlier.size() == proto::telemetry_kept_calls - 1);
  for (std::size_t i = 0; i < seen.earlier.size(); ++i) {
    CHECK(seen.earlier[i].sequence == 13 + i);
    CHECK(seen.earlier[i].sent == std::vector<std::int64_t>{static_cast<std::int64_t>(13 + i), 0});
    CHECK(seen.earlier[i].place == "later");
  }
}

namespace {

struct Forward : dist::Communicator {
  explicit Forward(dist::Communicator& to) : to_(to) {}
  int rank() const override { return to_.rank(); }
  int size() const override { return to_.size(); }
  at::Tensor all_to_all(const at::Tensor& r, const std::vector<std::int64_t>& s, const std::vector<std::int64_t>& g,
                        std::string_view p) override {
    return to_.all_to_all(r, s, g, p);
  }
  at::Tensor all_gather(const at::Tensor& r, const std::vector<std::int64_t>& c, std::string_view p) override {
    return to_.all_gather(r, c, p);
  }
  void all_reduce_sum(at::Tensor& v, std::string_view p) override { to_.all_reduce_sum(v, p); }
  void broadcast(at::Tensor& v, int root, std::string_view p) override { to_.broadcast(v, root, p); }
  void barrier(std::string_view p) override { to_.barrier(p); }
  dist::Communicator& to_;
};

}  // namespace

TEST_CASE("every collective of every rank is seen, and which ranks wait in it") {
  std::array<launcher::Page, 3> pages;
  testing::run_ranks(3, [&](dist::Communicator& inner) {
    const auto rank = static_cast<std::size_t>(inner.rank());
    Recorder recorder(pages[rank].descriptor());
    const auto communicator = telemetry::watch_calls(std::make_unique<Forward>(inner), recorder);
    const at::Tensor rows = at::ones({3, 4}, at::kHalf);
    communicator->all_to_all(rows, {1, 1, 1}, {1, 1, 1}, "encoder halo");
    proto::Telemetry seen = pages[rank].read();
    CHECK(seen.call.sequence == 1);
    CHECK(seen.call.operation == "all_to_all");
    CHECK(seen.call.group == "world");
    CHECK(seen.call.dtype == "Half");
    CHECK(seen.call.place == "encoder halo");
    CHECK(seen.call.shape == std::vector<std::int64_t>{3, 4});
    CHECK(seen.call.sent == std::vector<std::int64_t>{1, 1, 1});
    CHECK(seen.call.received == std::vector<std::int64_t>{1, 1, 1});
    CHECK(seen.done == 1);
    const std::uint64_t tick = seen.tick;

    communicator->all_gather(rows, {3, 3, 3}, "output sizes");
    seen = pages[rank].read();
    CHECK(seen.call.sent == std::vector<std::int64_t>{3, 3, 3});
    CHECK(seen.call.received.empty());
    CHECK(seen.tick > tick);
    at::Tensor value = at::ones({2});
    communicator->all_reduce_sum(value, "input");
    CHECK(value[0].item<float>() == 3);
    communicator->broadcast(value, 2, "seed");
    CHECK(pages[rank].read().call.sent == std::vector<std::int64_t>{2});
    const auto pending = communicator->start_all_to_all(rows, {1, 1, 1}, {1, 1, 1}, "later");
    seen = pages[rank].read();
    CHECK(seen.enqueued == 5);
    CHECK(seen.started == 4);
    CHECK_FALSE(seen.in_collective());
    pending->wait();
    CHECK(pages[rank].read().done == 5);

    // The last to come sees the others in the call.
    if (rank == 2) {
      const auto others_wait = [&] { return pages[0].read().in_collective() && pages[1].read().in_collective(); };
      for (int i = 0; i < 2000 && !others_wait(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      CHECK(others_wait());
      CHECK(pages[0].read().call.operation == "barrier");
    }
    communicator->barrier("end");
    CHECK_FALSE(pages[rank].read().in_collective());
  });
  CHECK(pages[0].read().recent == pages[1].read().recent);
  CHECK(pages[0].read().recent[1] != 0);
}

TEST_CASE("one rank alone shows where it is") {
  Recorder recorder(-1);
  const auto communicator = telemetry::watch_calls(dist::make_single_communicator(), recorder);
  const dist::Shards shards(4, 1);
  const dist::HaloPlan plan(shards, {0, 1}, *communicator, "plan");
  plan.exchange(at::ones({4, 2}), *communicator, "processor layer 1");
  CHECK(read(recorder).layer == "processor layer 1");
}

TEST_CASE("phases and steps reach the page and the launcher") {
  Recorder recorder(-1);
  RecordingReporter inner;
  telemetry::WatchedReporter reporter(inner, recorder);
  reporter.phase(report::Phase::first_step);
  CHECK(read(recorder).phase == "first step");
  CHECK(read(recorder).step == 1);
  reporter.step_done({1, 2, Time(std::chrono::seconds(3600)), 0.1});
  CHECK(read(recorder).step == 2);
  CHECK(read(recorder).steps == 2);
  CHECK(read(recorder).valid_time == 3600);
  reporter.step_done({2, 2, Time(std::chrono::seconds(7200)), 0.1});
  CHECK(read(recorder).step == 2);
  CHECK(inner.phases.size() == 1);
  CHECK(inner.steps.size() == 2);
}
