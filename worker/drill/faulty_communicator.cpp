#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "common/errors.h"
#include "worker/drill/faults.h"

namespace tradewind::drill {
namespace {

using Counts = std::vector<std::int64_t>;

[[noreturn]] void sleep_for_ever() {
  while (true) ::pause();
}

[[noreturn]] void loop_for_ever() {
  for (std::atomic<std::uint64_t> turns = 0;; turns.fetch_add(1, std::memory_order_relaxed)) {
  }
}

[[noreturn]] void wait_for_own_lock() {
  std::timed_mutex mutex;
  mutex.lock();
  std::thread([&mutex] {
    while (!mutex.try_lock_for(std::chrono::hours(1))) {
    }
  }).join();
  std::abort();
}

void take_memory() {
  constexpr std::size_t piece = std::size_t{16} << 20;
  while (true) {
    auto* memory = static_cast<char*>(std::malloc(piece));
    if (memory == nullptr) throw std::bad_alloc();
    for (std::size_t i = 0; i < piece; i += 4096) memory[i] = 1;
  }
}

// A named pipe nobody serves: opened for both ways it opens at once, then it takes what fits and gives nothing.
int open_pipe(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST)
    throw EnvironmentFault(std::string("cannot make a pipe: ") + std::strerror(errno), path);
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

void write_for_ever(dist::Observer& observer, const std::string& path) {
  const dist::FileWatch watch(observer, dist::FileUse::write, path);
  const int file = open_pipe(path);
  const std::string piece(4096, 'x');
  while (::write(file, piece.data(), piece.size()) > 0) {
  }
}

void read_for_ever(dist::Observer& observer, const std::string& path) {
  const dist::FileWatch watch(observer, dist::FileUse::read, path);
  char byte = 0;
  static_cast<void>(!::read(open_pipe(path), &byte, 1));
}

class FaultyCommunicator : public dist::Communicator {
 public:
  FaultyCommunicator(std::unique_ptr<dist::Communicator> inner, Fault fault)
      : inner_(std::move(inner)), fault_(std::move(fault)) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  const dist::Statistics& statistics() const override { return inner_->statistics(); }
  void planned(std::string_view place, const dist::RowCounts& rows) override { inner_->planned(place, rows); }
  void settle_waits() override { inner_->settle_waits(); }
  dist::Observer& observer() const override { return inner_->observer(); }

  at::Tensor all_to_all(const at::Tensor& rows, const Counts& send_counts, const Counts& receive_counts,
                        std::string_view place) override {
    return start_all_to_all(rows, send_counts, receive_counts, place)->wait();
  }
  std::unique_ptr<dist::PendingRows> start_all_to_all(const at::Tensor& rows, const Counts& send_counts,
                                                      const Counts& receive_counts, std::string_view place) override {
    if (!due(place)) return inner_->start_all_to_all(rows, send_counts, receive_counts, place);
    return happen(rows, send_counts, receive_counts, place);
  }
  at::Tensor all_gather(const at::Tensor& rows, const Counts& counts, std::string_view place) override {
    return inner_->all_gather(rows, counts, place);
  }
  void all_reduce_sum(at::Tensor& values, std::string_view place) override { inner_->all_reduce_sum(values, place); }
  void broadcast(at::Tensor& values, int root, std::string_view place) override {
    inner_->broadcast(values, root, place);
  }
  void barrier(std::string_view place) override { inner_->barrier(place); }

 private:
  // Rows that came from nowhere.
  class Zeros : public dist::PendingRows {
   public:
    explicit Zeros(at::Tensor rows) : rows_(std::move(rows)) {}
    at::Tensor wait() override { return rows_; }

   private:
    at::Tensor rows_;
  };

  bool due(std::string_view place) {
    if (place != "decoder halo") return false;
    ++step_;
    if (inner_->rank() != fault_.rank) return false;
    if (fault_.name == "slow-rank") return true;
    if (fault_.name == "slow-first-step") return step_ == 1;
    return step_ == fault_.step;
  }

  std::unique_ptr<dist::PendingRows> happen(const at::Tensor& rows, const Counts& send, const Counts& receive,
                                            std::string_view place) {
    const std::string& name = fault_.name;
    if (const auto alone = alone_.find(name); alone != alone_.end()) alone->second(inner_->observer(), fault_.path);
    if (name == "slow-rank") std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    if (name == "slow-first-step") std::this_thread::sleep_for(std::chrono::seconds(20));
    if (name == "skip") return std::make_unique<Zeros>(zeros(rows, receive));
    if (name == "operation") inner_->barrier(place);
    if (name == "dtype") return inner_->start_all_to_all(rows.to(at::kDouble), send, receive, place);
    if (name == "shape") return inner_->start_all_to_all(at::cat({rows, rows}, 1), send, receive, place);
    if (name == "split")
      return inner_->start_all_to_all(at::cat({rows, rows.narrow(0, 0, 1)}), more(send), receive, place);
    return inner_->start_all_to_all(rows, send, receive, place);
  }

  static at::Tensor zeros(const at::Tensor& rows, const Counts& receive) {
    std::vector<std::int64_t> sizes = rows.sizes().vec();
    sizes[0] = 0;
    for (const std::int64_t count : receive) sizes[0] += count;
    return at::zeros(sizes, rows.options());
  }
  // One row more to the next rank.
  Counts more(Counts counts) const {
    ++counts[static_cast<std::size_t>((inner_->rank() + 1) % inner_->size())];
    return counts;
  }

  // What needs no other rank, and mostly never returns.
  using Alone = std::function<void(dist::Observer&, const std::string& path)>;
  const std::map<std::string, Alone> alone_ = {
      {"kill", [](auto&, auto&) { ::raise(SIGKILL); }},
      {"memory", [](auto&, auto&) { take_memory(); }},
      {"segv", [](auto&, auto&) { ::raise(SIGSEGV); }},
      {"abort", [](auto&, auto&) { std::abort(); }},
      {"error", [](auto&, auto& path) { throw UserError("a drill's bad input", path.empty() ? "input" : path); }},
      {"exit", [](auto&, auto&) { ::_exit(3); }},
      {"stop", [](auto&, auto&) { ::raise(SIGSTOP); }},
      {"absent", [](auto&, auto&) { sleep_for_ever(); }},
      {"loop", [](auto&, auto&) { loop_for_ever(); }},
      {"lock", [](auto&, auto&) { wait_for_own_lock(); }},
      {"output", write_for_ever},
      {"input", read_for_ever},
      {"pause", [](auto&, auto&) {
         const pid_t self = ::getpid();
         if (::fork() == 0) {  // somebody else must wake it
           ::sleep(3);
           ::kill(self, SIGCONT);
           ::_exit(0);
         }
         ::raise(SIGSTOP);
       }}};

  std::unique_ptr<dist::Communicator> inner_;
  Fault fault_;
  int step_ = 0;
};

}  // namespace

std::unique_ptr<dist::Communicator> with_fault(std::unique_ptr<dist::Communicator> inner, Fault fault) {
  return std::make_unique<FaultyCommunicator>(std::move(inner), std::move(fault));
}

}  // namespace tradewind::drill
