// For tests with real processes: marks them, so that those left behind are found, and records what a run says.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/file_text.h"
#include "launcher/control/conductor.h"

namespace tradewind::launcher {

// Marks every process of one run through its environment.
struct Mark {
  Mark() : text("TRADEWIND_TEST_MARK=" + std::to_string(::getpid()) + "-" + std::to_string(++count)) {}
  std::string name() const { return text.substr(0, text.find('=')); }
  std::string value() const { return text.substr(text.find('=') + 1); }
  int processes() const {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      found += file_text(entry.path() / "environ").find(text) != std::string::npos ? 1 : 0;
    }
    return found;
  }
  std::string text;
  static inline int count = 0;
};

struct Seen : Audience {
  void message(int rank, const proto::Message& message) override {
    if (on_message) on_message(rank, message);
  }
  void line(int, proto::Stream stream, const std::string& line) override {
    if (line.size() < 100) (stream == proto::Stream::output ? output : error).push_back(line);
    bytes += line.size();
  }
  std::function<void(int, const proto::Message&)> on_message;
  std::vector<std::string> output, error;
  std::size_t bytes = 0;
};

}  // namespace tradewind::launcher
