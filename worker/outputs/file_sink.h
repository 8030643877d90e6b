// Output files, written behind by one thread. A file lies beside its final name as NAME.partial until close() has put
// every byte on disk; then it takes the final name, and an older file of that name goes. NAME.partial is new with every
// run and known by its identity (inode and birth), so that another run's is neither written to nor given the final
// name; NAME.lock keeps a second run away meanwhile (lock_file.h) and tells it who is at it. Pipes, devices and streams
// are written in order, under their own name (ordered_file.h). Bytes that wait are bounded: append() blocks while more
// than the bound is pending (a single message may be larger). One thread calls; errors of the writing thread
// (EnvironmentFault naming the path) surface on the next call.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/dates.h"
#include "common/files/lock_file.h"
#include "worker/dist/observer.h"
#include "worker/outputs/ordered_file.h"
#include "worker/outputs/output.h"

namespace tradewind::outputs {

class FileSink {
 public:
  explicit FileSink(std::size_t most_pending_bytes, dist::Observer& observer = dist::nobody(),
                    GivenStreams streams = {});
  ~FileSink();  // without close(): stops, what is written stays as NAME.partial

  // Keeps other runs from the file, as create() does, before there is anything to write. UserError telling who holds
  // it.
  void claim(const std::string& path);
  // Makes the file and its folders; once per path and run, on the rank that publishes. Its identity; 0 of a pipe or
  // device.
  std::uint64_t create(const std::string& path);
  // Takes up the file that an earlier attempt of the run has begun, of which it keeps the first `size` bytes. Errors:
  // EnvironmentFault when it is not there, another's or shorter.
  void reopen(const std::string& path, std::uint64_t size, std::uint64_t identity);
  // On every rank: what create() gave on the rank that called it.
  void expect(const std::string& path, std::uint64_t identity);
  // Whether the path is written in order by one writer only.
  bool is_sequential(const std::string& path) const { return OrderedFile::is_ordered(path, streams_); }

  // Where the file lies until publish(): for who writes it himself, and syncs it.
  static std::string unfinished(const std::string& path);

  // `offset` counts in the file; ignored where writing is in order.
  void append(const std::string& path, std::uint64_t offset, std::string bytes);
  // Everything appended so far belongs to states up to this lead time: told to the observer when it is written.
  void mark(Duration step);

  OutputFigures figures() const;  // of writing; nothing of encoding

  // Waits until all is written and on disk.
  void flush();
  // Gives the files their final names; to be called once on the rank that made them, after every rank's flush().
  void publish();
  // Files that no lock could be had for, because of the file system or their number.
  int unlocked() const { return unlocked_; }
  // The run's words in lock files (lock_file.h); before the first claim().
  void of_run(const std::string& words) { words_ = words; }

 private:
  struct Job {
    std::string path;
    std::uint64_t offset = 0;
    std::string bytes;
    std::optional<Duration> mark;
  };
  void run();
  void write(const Job& job);
  void check_still_there(int file, const std::string& name) const;
  static void check_identity(const std::string& partial, std::uint64_t identity);
  int descriptor(const std::string& path);
  std::uint64_t expected(const std::string& path);  // 0: not known
  OrderedFile* ordered(const std::string& path);
  void close_all();
  void rethrow() const;  // with the mutex held

  const std::size_t most_pending_;
  dist::Observer& observer_;
  const GivenStreams streams_;
  std::map<std::string, bool> created_;  // path -> sequential
  std::map<std::string, LockFile> locks_;
  std::map<std::string, std::uint64_t> identities_;  // guarded by mutex_
  int unlocked_ = 0;
  std::string words_ = words_of_process();
  std::map<std::string, std::unique_ptr<OrderedFile>> ordered_;  // guarded by mutex_; an entry is the thread's
  std::map<std::string, int> descriptors_;                       // the writing thread's
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t pending_ = 0;
  bool stop_ = false, busy_ = false, failed_ = false;
  std::exception_ptr error_;
  OutputFigures figures_;
  std::thread thread_;
};

}  // namespace tradewind::outputs
