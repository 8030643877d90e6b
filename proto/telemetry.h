// The telemetry page: one worker's progress in shared memory, written by the worker as it goes and read by its agent,
// which needs no help of the worker for it: a stopped, deadlocked or dead rank can still be read. A memfd of
// telemetry_page_bytes that the worker inherits (PROTOCOL.md). Fixed layout; `version` changes with it.
//
// Parts of several words are guarded by a seqlock with one writing thread each; counters are single words that any
// thread adds to. Times are nanoseconds of CLOCK_MONOTONIC of the host, valid times seconds since 1970 UTC. Texts end
// with a zero and are cut. Readers trust nothing: a page may hold anything.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tradewind::proto {

inline constexpr std::uint64_t telemetry_magic = 0x656c6554'776e7254;
inline constexpr std::uint32_t telemetry_version = 3;
inline constexpr std::size_t telemetry_page_bytes = 16384;
inline constexpr std::size_t telemetry_files = 6;          // open at a time
inline constexpr std::size_t telemetry_split_ranks = 64;   // whose counts of a collective are kept
inline constexpr std::size_t telemetry_kept_calls = 8;     // newest ones, whole
inline constexpr std::size_t telemetry_recent_calls = 64;  // their fingerprints
inline constexpr std::size_t telemetry_dims = 6;
inline constexpr unsigned telemetry_mark_bits = 16;  // of a device's mark, for the places since its collective

// A value that one thread writes and others read whole.
template <class T>
class Seqlocked {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);

 public:
  // Only the first `bytes` of the value, when the rest does not matter.
  void store(const T& value, std::size_t bytes = sizeof(T)) {
    const std::uint64_t begin = sequence_.load(std::memory_order_relaxed);
    sequence_.store(begin + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    const auto* from = reinterpret_cast<const char*>(&value);
    for (std::size_t i = 0; i * 8 < bytes; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + i * 8, 8);
      words_[i].store(word, std::memory_order_relaxed);
    }
    sequence_.store(begin + 2, std::memory_order_release);
  }

  // False when the writer was caught in between every time (it may have died there): `value` is then a mixture.
  bool load(T& value) const {
    auto* to = reinterpret_cast<char*>(&value);
    for (int tries = 0; tries < 100; ++tries) {
      const std::uint64_t begin = sequence_.load(std::memory_order_acquire);
      for (std::size_t i = 0; i < words_.size(); ++i) {
        const std::uint64_t word = words_[i].load(std::memory_order_relaxed);
        std::memcpy(to + i * 8, &word, 8);
      }
      std::atomic_thread_fence(std::memory_order_acquire);
      if (begin % 2 == 0 && sequence_.load(std::memory_order_relaxed) == begin) return true;
    }
    return false;
  }

 private:
  std::atomic<std::uint64_t> sequence_;
  std::array<std::atomic<std::uint64_t>, sizeof(T) / 8> words_;
};

// What the main thread is at.
struct PlaceRecord {
  std::array<char, 16> phase;
  std::array<char, 64> layer;
  std::int32_t step, steps;  // in flight, from 1, 0 before the first; of how many, 0 when not known yet
  std::int64_t valid_time;   // of the last step that is done, 0 before
  std::int64_t since;
};

// A collective.
struct CallRecord {
  std::uint64_t sequence;  // from 1, the same on all ranks of the group
  std::int64_t since;
  std::array<char, 16> operation, group, dtype;
  std::array<char, 64> place;
  std::int32_t dims, sent_counts, received_counts, reserved;  // how many of those below mean something
  std::array<std::int64_t, telemetry_dims> shape;
  // all_to_all: rows to and from each rank; all_gather: in `sent`, rows of each rank; broadcast: in `sent`, the root.
  std::array<std::int64_t, telemetry_split_ranks> sent, received;
};

// A file that is being read or written.
struct FileRecord {
  std::array<char, 8> use;  // read, write
  std::array<char, 256> path;
  std::int64_t since;
};

struct TelemetryPage {
  std::atomic<std::uint64_t> magic;
  std::atomic<std::uint32_t> version, bytes;
  std::atomic<std::uint64_t> tick;                     // grows with every sign of life of the main thread
  std::atomic<std::uint64_t> enqueued, started, done;  // collectives; waited for since `started`
  std::atomic<std::uint64_t> waited;                   // nanoseconds spent in finished collectives
  std::atomic<std::uint64_t> bytes_read, bytes_written;
  // Marks of a device's stream: collectives begun << telemetry_mark_bits | places entered since; 0 without a device.
  std::atomic<std::uint64_t> device_queued;    // the newest one queued
  std::atomic<std::uint64_t> device_progress;  // the newest one that the stream has come to: the device writes it
  std::atomic<std::int64_t> written_step;      // 1 + seconds of the last lead time that this rank has written whole
  Seqlocked<PlaceRecord> place;
  // The call with a number is at number % size: a rank may be further than another whose rows do not fit with its own.
  std::array<Seqlocked<CallRecord>, telemetry_kept_calls> calls;
  struct FileSlot {
    std::atomic<std::uint32_t> taken, reserved;
    Seqlocked<FileRecord> file;
  };
  std::array<FileSlot, telemetry_files> files;
  // fingerprint_of() the call with that number, at number % size.
  std::array<std::atomic<std::uint64_t>, telemetry_recent_calls> recent;
};
static_assert(sizeof(TelemetryPage) <= telemetry_page_bytes && std::is_standard_layout_v<TelemetryPage>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Marks a page of zeros as one of this version.
inline void begin_page(TelemetryPage& page) {
  page.bytes.store(sizeof(TelemetryPage), std::memory_order_relaxed);
  page.version.store(telemetry_version, std::memory_order_relaxed);
  page.magic.store(telemetry_magic, std::memory_order_release);
}

}  // namespace tradewind::proto
