#include "worker/outputs/file_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/errors.h"

namespace tradewind::outputs {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// A link keeps pointing at the file it points at: that is the one to replace, also while it is not there.
std::string target_of(const std::string& path) {
  fs::path target = path;
  std::error_code error;
  for (int links = 0; links < 32 && fs::is_symlink(target, error); ++links) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;
    target = target.parent_path() / next;  // an absolute one replaces all of it
  }
  return target.string();
}

std::string partial_name(const std::string& path) { return target_of(path) + ".partial"; }

[[noreturn]] void fail(const std::string& doing, const std::string& path, int code) {
  const char* remedy = code == ENOSPC || code == EDQUOT                   ? "make room there, or write elsewhere"
                       : code == EACCES || code == EPERM || code == EROFS ? "check the permissions, or write elsewhere"
                                                                          : "";
  throw EnvironmentFault(doing + ": " + std::strerror(code), path, remedy);
}

}  // namespace

FileSink::FileSink(std::size_t most_pending_bytes, dist::Observer& observer)
    : most_pending_(most_pending_bytes), observer_(observer), thread_([this] { run(); }) {}

FileSink::~FileSink() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const auto& [path, descriptor] : descriptors_) ::close(descriptor);
}

bool FileSink::is_sequential(const std::string& path) {
  if (path.starts_with("/dev/") || path.starts_with("/proc/")) return true;
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

void FileSink::create(const std::string& path) {
  const bool sequential = is_sequential(path);
  if (!sequential) {
    std::error_code error;
    if (fs::is_directory(path, error)) throw UserError("the output path is a folder", path, "give the path of a file");
    const std::string target = target_of(path), partial = partial_name(path);
    if (const fs::path folder = fs::path(target).parent_path(); !folder.empty()) {
      fs::create_directories(folder, error);
      if (error) fail("cannot make the output's folder", folder.string(), error.value());
    }
    const int made = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (made < 0) fail("cannot create the output file", partial, errno);
    ::close(made);
    if (unlink(target.c_str()) != 0 && errno != ENOENT) fail("cannot replace the output file", target, errno);
  }
  created_[path] = sequential;
}

void FileSink::reopen(const std::string& path, std::uint64_t size) {
  const std::string target = target_of(path), partial = partial_name(path);
  std::error_code error;
  // The attempt before may have come as far as giving it its final name.
  if (!fs::exists(partial, error) && fs::exists(target, error)) fs::rename(target, partial, error);
  const int file = open(partial.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) fail("cannot go on with the output of the attempt before", partial, errno);
  struct stat status {};
  const bool known = fstat(file, &status) == 0;
  const bool whole = known && static_cast<std::uint64_t>(status.st_size) >= size;
  const bool cut = whole && ftruncate(file, static_cast<off_t>(size)) == 0;
  const int code = errno;
  ::close(file);
  if (known && !whole)
    throw EnvironmentFault("the output of the attempt before has " + std::to_string(status.st_size) +
                               " bytes, not the " + std::to_string(size) + " it was left with",
                           partial, "leave the output's folder alone while a forecast runs, and run the forecast anew");
  if (!cut) fail("cannot go on with the output of the attempt before", partial, code);
  created_[path] = false;
}

void FileSink::append(const std::string& path, std::uint64_t offset, std::string bytes) {
  std::unique_lock lock(mutex_);
  const std::size_t size = bytes.size();
  const auto begin = Clock::now();
  changed_.wait(lock, [&] { return failed_ || pending_ == 0 || pending_ + size <= most_pending_; });
  figures_.blocked_seconds += seconds_since(begin);
  rethrow();
  pending_ += size;
  figures_.most_pending_bytes = std::max(figures_.most_pending_bytes, static_cast<std::int64_t>(pending_));
  jobs_.push_back({path, offset, std::move(bytes), std::nullopt});
  changed_.notify_all();
}

void FileSink::mark(Duration step) {
  std::unique_lock lock(mutex_);
  rethrow();
  jobs_.push_back({.path = {}, .bytes = {}, .mark = step});
  changed_.notify_all();
}

std::optional<Duration> FileSink::last_marked() const {
  const std::lock_guard lock(mutex_);
  return marked_;
}

OutputFigures FileSink::figures() const {
  const std::lock_guard lock(mutex_);
  OutputFigures figures = figures_;
  figures.pending_limit_bytes = static_cast<std::int64_t>(most_pending_);
  return figures;
}

void FileSink::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failed_ || (jobs_.empty() && !busy_); });
  rethrow();
  lock.unlock();
  close_all();
}

void FileSink::publish() {
  for (const auto& [path, sequential] : created_) {
    if (sequential) continue;
    const std::string partial = partial_name(path), target = target_of(path);
    if (rename(partial.c_str(), target.c_str()) != 0)
      fail("cannot give the output its final name " + target, partial, errno);
  }
  created_.clear();
}

void FileSink::rethrow() const {
  if (failed_) std::rethrow_exception(error_);
}

void FileSink::run() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);  // a closed pipe is an error here, not the end of the process
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    std::exception_ptr error;
    const auto begin = Clock::now();
    try {
      if (!job.mark) write(job);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    pending_ -= job.bytes.size();
    figures_.file_seconds += seconds_since(begin);
    if (!error) figures_.bytes += static_cast<std::int64_t>(job.bytes.size());
    if (job.mark && !error) {
      marked_ = job.mark;
      observer_.state_written(*job.mark);
    }
    if (error) {
      error_ = error;
      failed_ = true;
      jobs_.clear();
    }
    changed_.notify_all();
    if (failed_) return;
  }
}

int FileSink::descriptor(const std::string& path) {
  if (const auto known = descriptors_.find(path); known != descriptors_.end()) return known->second;
  if (descriptors_.size() >= 32) close_all();  // paths may hold a step or a parameter: do not keep them all open
  const bool sequential = is_sequential(path);
  const std::string name = sequential ? path : partial_name(path);
  const int opened = open(name.c_str(), O_WRONLY | O_CLOEXEC);
  if (opened < 0) fail("cannot open the output file", name, errno);
  return descriptors_[path] = opened;
}

void FileSink::write(const Job& job) {
  const bool sequential = is_sequential(job.path);
  dist::FileWatch watch(observer_, dist::FileUse::write, job.path);
  const int file = descriptor(job.path);
  std::size_t done = 0;
  while (done < job.bytes.size()) {
    const char* from = job.bytes.data() + done;
    const std::size_t left = job.bytes.size() - done;
    const ssize_t wrote =
        sequential ? ::write(file, from, left) : pwrite(file, from, left, static_cast<off_t>(job.offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail("cannot write the output", sequential ? job.path : partial_name(job.path), errno);
    done += static_cast<std::size_t>(wrote);
    watch.moved(static_cast<std::uint64_t>(wrote));
  }
  if (!sequential) check_still_there(file, partial_name(job.path));
}

// Writing into a file that somebody has removed would go well, and be lost.
void FileSink::check_still_there(int file, const std::string& name) const {
  struct stat status {};
  if (fstat(file, &status) == 0 && status.st_nlink == 0)
    throw EnvironmentFault("the output file was removed while it was being written", name,
                           "leave the output's folder alone while a forecast runs");
}

void FileSink::close_all() {
  const auto open_files = std::exchange(descriptors_, {});
  for (const auto& [path, file] : open_files) {
    const dist::FileWatch watch(observer_, dist::FileUse::write, path);
    const bool synced = fsync(file) == 0 || errno == EINVAL || errno == EROFS;  // pipes and devices cannot be synced
    const int code = errno;
    const bool closed = ::close(file) == 0;
    if (!synced) fail("cannot write the output to disk", path, code);
    if (!closed) fail("cannot close the output", path, errno);
  }
}

}  // namespace tradewind::outputs
