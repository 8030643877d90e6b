#include "worker/outputs/write_queue.h"

#include <algorithm>
#include <utility>

#include "common/clock.h"

namespace tradewind::outputs {

WriteQueue::~WriteQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WriteQueue::add(std::size_t bytes, std::function<void()> job) {
  std::unique_lock lock(mutex_);
  const auto begin = Clock::now();
  changed_.wait(lock, [&] { return error_ || pending_ == 0 || pending_ + bytes <= most_pending_; });
  figures_.blocked_seconds += seconds_since(begin);
  if (error_) std::rethrow_exception(error_);
  pending_ += bytes;
  figures_.most_pending_bytes = std::max(figures_.most_pending_bytes, static_cast<std::int64_t>(pending_));
  jobs_.push_back({bytes, std::move(job)});
  changed_.notify_all();
}

void WriteQueue::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || jobs_.empty(); });
  if (error_) std::rethrow_exception(error_);
}

OutputFigures WriteQueue::figures() const {
  const std::lock_guard lock(mutex_);
  OutputFigures figures = figures_;
  figures.pending_limit_bytes = static_cast<std::int64_t>(most_pending_);
  return figures;
}

// A job stays in the queue until it is done, so that an empty queue means that all are.
void WriteQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    const Job job = std::exchange(jobs_.front(), {});
    lock.unlock();
    std::exception_ptr error;
    const auto begin = Clock::now();
    try {
      job.work();
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    figures_.file_seconds += seconds_since(begin);
    pending_ -= job.bytes;
    jobs_.pop_front();
    if (error) {
      error_ = error;
      jobs_.clear();
    } else {
      figures_.bytes += static_cast<std::int64_t>(job.bytes);
    }
    changed_.notify_all();
    if (error_) return;
  }
}

}  // namespace tradewind::outputs
