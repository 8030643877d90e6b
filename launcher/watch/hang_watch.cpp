#include "launcher/watch/hang_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "launcher/watch/flight_verdict.h"
#include "launcher/watch/nccl_ras.h"
#include "launcher/watch/program_watch.h"
#include "launcher/watch/python_frames.h"
#include "proto/lines.h"

namespace tradewind::launcher {
namespace {

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::string text_in(const proto::Json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts_in(const proto::Json& body, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = body.find(name); found != body.end() && found->is_array())
    for (const proto::Json& text : *found)
      if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}

std::unique_ptr<RunWatch> watch_for(int ranks, const WatchSettings& settings, TimePoint now) {
  if (settings.programs) return std::make_unique<ProgramWatch>(ranks, settings, now);
  return std::make_unique<Watch>(ranks, settings, now);
}

}  // namespace

HangWatch::HangWatch(int ranks, WatchSettings settings, std::string dump_folder, TimePoint now)
    : settings_(settings),
      dump_folder_(std::move(dump_folder)),
      watch_(watch_for(ranks, settings, now)),
      ranks_(static_cast<std::size_t>(ranks)),
      next_look_(now + duration_of(settings.interval)) {}

HangNews HangWatch::heard(int rank, const proto::Json& body, TimePoint now) {
  if (rank < 0 || rank >= static_cast<int>(ranks_.size()) || !body.is_object())
    throw proto::ProtocolError("a message of the watch about rank " + std::to_string(rank));
  Rank& self = ranks_[static_cast<std::size_t>(rank)];
  if (const auto sample = body.find("sample"); sample != body.end()) {
    self.sample = proto::decode_sample(*sample);
    self.sample->rank = rank;
    self.fresh = true;
    self.seen = self.seen || self.sample->exited || body.contains("looked");
    if (body.contains("frames")) self.note_answers(body);
    return {};
  }
  if (const auto evidence = body.find("evidence"); evidence != body.end()) {
    self.evidence = proto::decode_sample(*evidence);
    self.evidence->rank = rank;
    self.stack = text_in(body, "stack");
    self.record = text_in(body, "record");
    self.ras = text_in(body, "ras");
    self.xids = texts_in(body, "xids");
    self.note_answers(body);
    if (gathering_until_ && evidence_complete()) return conclude(now);
    return {};
  }
  throw proto::ProtocolError("a message of the watch without `sample` or `evidence`");
}

void HangWatch::Rank::note_answers(const proto::Json& body) {
  frames = text_in(body, "frames");
  flight.reset();
  if (const auto found = body.find("flight"); found != body.end()) flight = decode_flight(*found);
}

void HangWatch::lost(const std::vector<int>& ranks) {
  for (const int rank : ranks) {
    Rank& self = ranks_.at(static_cast<std::size_t>(rank));
    if (!self.sample) self.sample = proto::RankSample{.rank = rank};
    self.sample->lost = true;
  }
}

bool HangWatch::complete() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) {
    return rank.sample && (rank.fresh || rank.sample->exited || rank.sample->lost);
  });
}

void HangWatch::look() {
  for (Rank& rank : ranks_) rank.seen = false;
}

bool HangWatch::seen() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) {
    return rank.seen || (rank.sample && (rank.sample->exited || rank.sample->lost));
  });
}

bool HangWatch::evidence_complete() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) {
    return rank.evidence || (rank.sample && (rank.sample->exited || rank.sample->lost));
  });
}

std::vector<proto::RankSample> HangWatch::samples() const {
  std::vector<proto::RankSample> samples;
  for (const Rank& rank : ranks_)
    if (rank.sample) samples.push_back(*rank.sample);
  return samples;
}

TimePoint HangWatch::deadline() const {
  return gathering_until_ ? std::min(next_look_, *gathering_until_) : next_look_;
}

HangNews HangWatch::passed(TimePoint now) {
  if (gathering_until_ && now >= *gathering_until_) return conclude(now);
  if (now < next_look_) return {};
  next_look_ = now + duration_of(settings_.interval);
  // Without news of a rank there is nothing to judge: its agent is slow, or will be found to be lost.
  if (!complete()) return {};
  for (Rank& rank : ranks_) rank.fresh = false;
  if (off()) return {.looked = true};
  const auto action = watch_->sampled(samples(), now);
  if (!action) return {.looked = true};
  if (action->kind == WatchAction::Kind::withdraw) return {.looked = true, .withdrawn = true};
  if (action->kind == WatchAction::Kind::file) return {.looked = true, .warning = still_file_text(action->rank)};
  gathering_until_ = now + duration_of(gather_seconds());
  for (Rank& rank : ranks_) rank.evidence.reset();
  return {.looked = true, .gather = true};
}

std::string HangWatch::still_file_text(int rank) const {
  const auto& sample = *ranks_[static_cast<std::size_t>(rank)].sample;
  return "rank " + std::to_string(rank) + " on " + sample.host + " waits for the file " + blocked_file(sample) +
         ", of which nothing has moved for " + std::to_string(std::lround(watch_->file_seconds(rank))) +
         " s; the run goes on while its output fits into memory";
}

HangNews HangWatch::conclude(TimePoint now) {
  gathering_until_.reset();
  std::vector<proto::RankSample> samples;
  std::vector<Testimony> testimonies;
  for (const Rank& rank : ranks_) {
    if (!rank.evidence && !rank.sample) continue;
    const bool answers = rank.evidence && !rank.sample->exited && !rank.sample->lost;
    samples.push_back(answers ? *rank.evidence : *rank.sample);
    testimonies.push_back({.sample = samples.back()});
    if (answers) {
      testimonies.back().stack = rank.stack;
      testimonies.back().frames = rank.frames;
      testimonies.back().flight = rank.flight;
    }
  }
  if (!watch_->testified(testimonies, now)) return {};
  HangNews news;
  news.hang = hang_of(watch_->verdict(), std::move(samples));
  return news;
}

Hang HangWatch::hang_of(const Verdict& verdict, std::vector<proto::RankSample> samples) const {
  Hang hang{.verdict = verdict,
            .samples = std::move(samples),
            .seconds_to_suspect = watch_->seconds_to_suspect(),
            .seconds_to_verdict = watch_->seconds_to_verdict(),
            .stopped = settings_.mode == HangMode::stop,
            .programs = settings_.programs,
            .dump_folder = dump_folder_};
  auto& evidence = hang.verdict.evidence;
  std::vector<std::string> devices;  // the ranks of a host all read the same log
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const Rank& rank = ranks_[i];
    const std::string host = rank.sample ? rank.sample->host : std::string();
    if (!rank.stack.empty()) hang.stacks[static_cast<int>(i)] = rank.stack;
    if (!rank.record.empty()) hang.records[static_cast<int>(i)] = rank.record;
    if (!rank.ras.empty()) hang.ras[static_cast<int>(i)] = rank.ras;
    if (!rank.frames.empty()) hang.frames[static_cast<int>(i)] = rank.frames;
    if (rank.flight) hang.records[static_cast<int>(i)] = text_of(*rank.flight);
    for (const std::string& xid : rank.xids) {
      std::string text = "kernel log of ";
      text.append(host).append(": ").append(xid);
      if (std::find(devices.begin(), devices.end(), text) == devices.end()) devices.push_back(std::move(text));
    }
    for (const std::string& finding : ras_findings(rank.ras))
      evidence.emplace_back("NCCL RAS on ").append(host).append(": ").append(finding);
  }
  // The first ones fit on the screen: a device in trouble is why a rank stands still.
  evidence.insert(evidence.begin(), devices.begin(), devices.end());
  return hang;
}

// What the recorders of a program hold.
std::optional<Verdict> HangWatch::recorded(const Clues& clues) const {
  std::vector<FlightRecord> records;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    if (!ranks_[i].flight) continue;
    records.push_back(*ranks_[i].flight);
    records.back().rank = static_cast<int>(i);
  }
  return why_broken(records, static_cast<int>(ranks_.size()), clues.misled, clues.done);
}

std::vector<std::string> HangWatch::crash_frames(int rank) const {
  return lines_of(fatal_frames(ranks_.at(static_cast<std::size_t>(rank)).frames));
}

std::optional<Hang> HangWatch::explain(const Clues& clues) const {
  if (off()) return std::nullopt;
  const auto verdict = settings_.programs ? recorded(clues) : mismatch(samples());
  if (!verdict) return std::nullopt;
  Hang hang = hang_of(*verdict, samples());
  // A program keeps the exit code of its own, unless it is to be stopped.
  hang.stopped = !settings_.programs || settings_.mode == HangMode::stop;
  return hang;
}

}  // namespace tradewind::launcher
