// The protocol of our own workers, over their channel.
#pragma once

#include <string>

#include "launcher/agent/speech.h"

namespace tradewind::launcher {

class WorkerSpeech : public Speech {
 public:
  // `start_line`: the message `start`, encoded.
  explicit WorkerSpeech(std::string start_line) : start_line_(std::move(start_line)) {}

  void start() override { ends().written(start_line_); }
  void stop() override { ends().written(proto::encode(proto::Stop{})); }
  void heard(std::string_view bytes) override {
    messages_.feed(bytes);
    while (const auto line = messages_.next()) ends().said(proto::decode(*line));
  }

 private:
  std::string start_line_;
  proto::LineReader messages_;
};

}  // namespace tradewind::launcher
