#include "launcher/process/text_sink.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "common/streams.h"

namespace tradewind::launcher {
namespace {

constexpr std::size_t piece = std::size_t{64} << 10;

Descriptor temporary_file() {
  const char* folder = ::access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";  // on disk rather than in memory
  std::string name = std::string(folder) + "/tradewind-XXXXXX";
  Descriptor file(::mkostemp(name.data(), 02000000));
  if (file.valid()) ::unlink(name.c_str());
  return file;
}

}  // namespace

TextSink::TextSink(int descriptor, std::size_t most_in_memory)
    : descriptor_(descriptor), most_in_memory_(most_in_memory) {
  // Signals to this process are the main thread's.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TextSink::~TextSink() { finish(); }

int TextSink::finish() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  return error();
}

int TextSink::settle(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, patience, [this] {
    return error_ != 0 || (!busy_ && memory_.empty() && file_begin_ == file_end_ && lost_ == 0);
  });
  return error_;
}

int TextSink::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

void TextSink::write(std::string_view text) {
  {
    const std::scoped_lock lock(mutex_);
    if (broken_ || text.empty()) return;
    const bool fits = file_begin_ == file_end_ && memory_.size() + text.size() <= most_in_memory_;
    if (fits) {
      memory_ += text;
    } else if (!spool(text)) {
      lost_ += static_cast<std::int64_t>(text.size());
      if (error_ == 0) error_ = ENOSPC;
    }
  }
  changed_.notify_one();
}

bool TextSink::spool(std::string_view text) {
  if (!file_.valid()) file_ = temporary_file();
  if (!file_.valid()) return false;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count =
        ::pwrite(file_.get(), text.data() + done, text.size() - done, file_end_ + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  file_end_ += static_cast<std::int64_t>(text.size());
  return true;
}

std::string TextSink::next(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return closing_ || !memory_.empty() || file_begin_ < file_end_ || lost_ > 0; });
  if (!memory_.empty()) return std::exchange(memory_, {});
  if (file_begin_ < file_end_) {
    std::string text(std::min(piece, static_cast<std::size_t>(file_end_ - file_begin_)), '\0');
    const ssize_t count = ::pread(file_.get(), text.data(), text.size(), file_begin_);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    file_begin_ = count > 0 ? file_begin_ + count : file_end_;
    if (file_begin_ == file_end_) {
      file_begin_ = file_end_ = 0;
      if (::ftruncate(file_.get(), 0) != 0) file_.reset();
    }
    return text;
  }
  if (lost_ > 0) {
    std::string note = std::to_string(lost_);
    note.append(" bytes of output were lost here: there was no room for them on disk\n");
    lost_ = 0;
    return note;
  }
  return {};
}

void TextSink::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    busy_ = false;
    idle_.notify_all();
    const std::string text = next(lock);
    if (text.empty() && closing_ && memory_.empty() && file_begin_ == file_end_ && lost_ == 0) return;
    busy_ = true;
    lock.unlock();
    const int error = write_all(descriptor_, text);
    lock.lock();
    if (error == 0) continue;
    if (error_ == 0) error_ = error;
    broken_ = true;  // nobody reads any more
    memory_.clear();
    file_begin_ = file_end_ = lost_ = 0;
    file_.reset();
  }
}

std::int64_t TextSink::spooled_bytes() const {
  const std::scoped_lock lock(mutex_);
  return file_end_ - file_begin_;
}

}  // namespace tradewind::launcher
