#include "worker/weights/background_check.h"

#include <pthread.h>
#include <sched.h>

#include <csignal>
#include <system_error>
#include <utility>

namespace tradewind::weights {
namespace {

constexpr std::chrono::seconds between_looks{1};

// Signals are for the main thread; the processors are for whoever else wants them.
void step_back() {
  ::pthread_setname_np(::pthread_self(), "checksums");  // the launcher leaves out what it reads
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_IDLE, &none);
}

}  // namespace

BackgroundCheck::BackgroundCheck(std::shared_ptr<const archive::Archive> archive, checkpoint::Share share)
    : archive_(archive), verification_(std::move(archive), share) {
  const auto pass = [this] {
    step_back();
    try {
      while (!stop_.load(std::memory_order_relaxed) && verification_.step()) {
      }
    } catch (...) {
      failure_ = std::current_exception();
      failed_.store(true, std::memory_order_release);
    }
  };
  try {
    thread_ = std::thread(pass);
  } catch (const std::system_error&) {  // no thread to be had: finish() does it all
  }
}

BackgroundCheck::~BackgroundCheck() { stop(); }

void BackgroundCheck::stop() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void BackgroundCheck::rethrow() {
  if (!failed_.load(std::memory_order_acquire)) return;
  stop();
  std::rethrow_exception(failure_);
}

void BackgroundCheck::look() {
  const auto now = Clock::now();
  if (now - looked_ >= between_looks) {
    looked_ = now;
    archive_->require_unchanged();
  }
  rethrow();
}

void BackgroundCheck::finish(const std::function<void(std::uint64_t)>& moved) {
  archive_->require_unchanged();
  // A thread that gets no processor would not notice soon that it shall stop: from here on it is worth one.
  const sched_param none{};
  if (thread_.joinable()) ::pthread_setschedparam(thread_.native_handle(), SCHED_OTHER, &none);
  stop();
  rethrow();
  for (bool more = verification_.bytes_left() > 0; more;) {
    const std::uint64_t before = verification_.bytes_left();
    more = verification_.step();
    moved(before - verification_.bytes_left());
  }
  archive_->require_unchanged();
}

}  // namespace tradewind::weights
