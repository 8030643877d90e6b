#include "worker/telemetry/watched_communicator.h"

#include <type_traits>
#include <utility>

namespace tradewind::telemetry {
namespace {

const std::vector<std::int64_t> none;

class WatchedRows : public dist::PendingRows {
 public:
  WatchedRows(std::unique_ptr<dist::PendingRows> inner, Recorder& recorder)
      : inner_(std::move(inner)), recorder_(recorder) {}
  at::Tensor wait() override {
    recorder_.call_started();
    at::Tensor rows = inner_->wait();
    recorder_.call_done();
    return rows;
  }

 private:
  std::unique_ptr<dist::PendingRows> inner_;
  Recorder& recorder_;
};

class WatchedCommunicator : public dist::Communicator {
 public:
  WatchedCommunicator(std::unique_ptr<dist::Communicator> inner, Recorder& recorder)
      : inner_(std::move(inner)), recorder_(recorder) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  const dist::Statistics& statistics() const override { return inner_->statistics(); }
  dist::Observer& observer() const override { return recorder_; }
  void planned(std::string_view place, const dist::RowCounts& rows) override { inner_->planned(place, rows); }
  void settle_waits() override {
    recorder_.call_enqueued("all_to_all", {}, none, none, "waits");
    waited([&] { return inner_->settle_waits(), 0; });
  }

  at::Tensor all_to_all(const at::Tensor& rows, const std::vector<std::int64_t>& send_counts,
                        const std::vector<std::int64_t>& receive_counts, std::string_view place) override {
    recorder_.call_enqueued("all_to_all", rows, send_counts, receive_counts, place);
    return waited([&] { return inner_->all_to_all(rows, send_counts, receive_counts, place); });
  }
  std::unique_ptr<dist::PendingRows> start_all_to_all(const at::Tensor& rows,
                                                      const std::vector<std::int64_t>& send_counts,
                                                      const std::vector<std::int64_t>& receive_counts,
                                                      std::string_view place) override {
    recorder_.call_enqueued("all_to_all", rows, send_counts, receive_counts, place);
    return std::make_unique<WatchedRows>(inner_->start_all_to_all(rows, send_counts, receive_counts, place), recorder_);
  }
  at::Tensor all_gather(const at::Tensor& rows, const std::vector<std::int64_t>& counts,
                        std::string_view place) override {
    recorder_.call_enqueued("all_gather", rows, counts, none, place);
    return waited([&] { return inner_->all_gather(rows, counts, place); });
  }
  void all_reduce_sum(at::Tensor& values, std::string_view place) override {
    recorder_.call_enqueued("all_reduce_sum", values, none, none, place);
    waited([&] { return inner_->all_reduce_sum(values, place), 0; });
  }
  void broadcast(at::Tensor& values, int root, std::string_view place) override {
    recorder_.call_enqueued("broadcast", values, {root}, none, place);
    waited([&] { return inner_->broadcast(values, root, place), 0; });
  }
  void barrier(std::string_view place) override {
    recorder_.call_enqueued("barrier", {}, none, none, place);
    waited([&] { return inner_->barrier(place), 0; });
  }

 private:
  // A call that throws stays open in the page: that is what the rank died in.
  template <class Call>
  std::invoke_result_t<const Call&> waited(const Call& call) {
    recorder_.call_started();
    auto result = call();
    recorder_.call_done();
    return result;
  }

  std::unique_ptr<dist::Communicator> inner_;
  Recorder& recorder_;
};

}  // namespace

std::unique_ptr<dist::Communicator> watch_calls(std::unique_ptr<dist::Communicator> inner, Recorder& recorder) {
  return std::make_unique<WatchedCommunicator>(std::move(inner), recorder);
}

}  // namespace tradewind::telemetry
