// The checkpoint's checksums, held against its bytes beside the forecast: by a thread that runs only where nothing else
// wants to, and whatever is left of it at the end. Nothing of this process's memory grows by it. Not thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>

#include "common/checkpoint/verify.h"
#include "common/clock.h"

namespace tradewind::weights {

class BackgroundCheck {
 public:
  explicit BackgroundCheck(std::shared_ptr<const archive::Archive> archive, checkpoint::Share share = {});
  ~BackgroundCheck();
  BackgroundCheck(const BackgroundCheck&) = delete;
  BackgroundCheck& operator=(const BackgroundCheck&) = delete;

  // Throws what was found so far: UserError for a damaged entry, EnvironmentFault for a file that has changed since it
  // was opened. Costs nothing worth mentioning: call it after every step.
  void look();
  // Checks what is left, telling `moved` the bytes of each piece; returns when all is as it should be.
  void finish(const std::function<void(std::uint64_t)>& moved);

 private:
  void stop();
  void rethrow();

  std::shared_ptr<const archive::Archive> archive_;
  checkpoint::Verification verification_;  // the thread's until it has ended
  std::atomic<bool> stop_{false}, failed_{false};
  std::exception_ptr failure_;  // to be read once failed_ is seen
  TimePoint looked_ = Clock::now();
  std::thread thread_;
};

}  // namespace tradewind::weights
