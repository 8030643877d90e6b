// Where each message of a state goes: which file, at which offset, written by which rank. All ranks agree on it from
// the sizes and paths of everybody's messages, which is one exchange a state, and one more when a file is begun.
// Collective, the same on every rank. Not thread-safe. Errors: as FileSink::create()'s, on rank 0.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "worker/dist/communicator.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/writers.h"

namespace tradewind::outputs {

struct Message {
  std::string path, bytes;
};

// What this process sees of a folder; for tests to stand elsewhere.
using SiteProbe = std::function<Site(const std::string& folder)>;

class FileLayout {
 public:
  FileLayout(dist::Communicator& communicator, FileSink& sink, SiteProbe probe)
      : communicator_(communicator), sink_(sink), probe_(std::move(probe)) {}

  // messages: of this rank, which are numbers rank, rank + size, rank + 2 size, ... of `count`. Begins files that are
  // new, passes messages to the ranks that write them, and appends what this rank writes, in order.
  void append(std::vector<Message> messages, std::size_t count);

  // Begins these files, the same on every rank, before the first append().
  void begin(const std::vector<std::string>& paths);

  // Of each file so far: {path: {bytes, identity}}. Not collective.
  nlohmann::json begun() const;
  // Before the first append(): goes on with files that an earlier attempt of the run has begun.
  void resume(const nlohmann::json& begun);
  std::vector<std::string> files() const;

 private:
  struct File {
    std::uint64_t size = 0, identity = 0;
    std::vector<int> writers;
  };
  struct Entry {
    std::string path;
    std::uint64_t size = 0, offset = 0;
    int owner = 0, writer = 0;
  };
  std::vector<Entry> agree(const std::vector<Message>& messages, std::size_t count);
  // Files of which `begun` tells are there and keep so many bytes.
  void begin_files(const std::vector<std::string>& paths, const nlohmann::json& begun = nlohmann::json::object());
  // bytes[i]: of message i, on its owner before and on its writer after.
  void pass_on(std::vector<std::string>& bytes, const std::vector<Entry>& entries);

  dist::Communicator& communicator_;
  FileSink& sink_;
  SiteProbe probe_;
  std::map<std::string, File> files_;
  std::map<std::string, std::vector<int>> writers_;  // by folder
};

}  // namespace tradewind::outputs
