#include "worker/outputs/file_layout.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "worker/dist/texts.h"

namespace tradewind::outputs {
namespace {

using Json = nlohmann::json;
using Counts = std::vector<std::int64_t>;

// Every rank's value, by rank.
std::vector<Json> gather(dist::Communicator& communicator, const Json& own, std::string_view call) {
  std::vector<Json> all;
  for (const std::string& text : dist::gather_texts(communicator, own.dump(), call)) all.push_back(Json::parse(text));
  return all;
}

std::string folder_of(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

}  // namespace

void FileLayout::append(std::vector<Message> messages, std::size_t count) {
  const std::vector<Entry> entries = agree(messages, count);
  std::vector<std::string> bytes(count);  // of message i, where it is
  for (std::size_t i = 0; i < messages.size(); ++i) {
    bytes[i * static_cast<std::size_t>(communicator_.size()) + static_cast<std::size_t>(communicator_.rank())] =
        std::move(messages[i].bytes);
  }
  pass_on(bytes, entries);
  for (std::size_t i = 0; i < count; ++i) {
    if (entries[i].writer == communicator_.rank()) {
      sink_.append(entries[i].path, entries[i].offset, std::move(bytes[i]));
    }
  }
}

std::vector<FileLayout::Entry> FileLayout::agree(const std::vector<Message>& messages, std::size_t count) {
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  Json own = Json::array();
  for (const Message& message : messages) own.push_back({message.bytes.size(), message.path});
  const std::vector<Json> all = gather(communicator_, own, "output.sizes");
  std::vector<Entry> entries(count);
  std::vector<std::string> fresh;
  for (std::size_t i = 0; i < count; ++i) {
    Entry& entry = entries[i];
    const Json& told = all[i % ranks][i / ranks];
    entry.size = told[0].get<std::uint64_t>();
    entry.path = told[1].get<std::string>();
    entry.owner = static_cast<int>(i % ranks);
    if (files_.try_emplace(entry.path).second) fresh.push_back(entry.path);
  }
  if (!fresh.empty()) begin_files(fresh);
  for (std::size_t i = 0; i < count; ++i) {
    Entry& entry = entries[i];
    File& file = files_.at(entry.path);
    entry.offset = file.size;
    file.size += entry.size;
    const bool itself = std::binary_search(file.writers.begin(), file.writers.end(), entry.owner);
    entry.writer = itself ? entry.owner : file.writers[i % file.writers.size()];
  }
  return entries;
}

void FileLayout::begin(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) files_.try_emplace(path);
  if (!paths.empty()) begin_files(paths);
}

nlohmann::json FileLayout::begun() const {
  nlohmann::json begun = nlohmann::json::object();
  for (const auto& [path, file] : files_) begun[path] = {{"bytes", file.size}, {"identity", file.identity}};
  return begun;
}

std::vector<std::string> FileLayout::files() const {
  std::vector<std::string> paths;
  for (const auto& [path, file] : files_) paths.push_back(path);
  return paths;
}

void FileLayout::resume(const nlohmann::json& begun) {
  std::vector<std::string> paths;
  for (const auto& [path, file] : begun.items()) {
    files_[path].size = file.at("bytes").get<std::uint64_t>();
    paths.push_back(path);
  }
  if (!paths.empty()) begin_files(paths, begun);
}

void FileLayout::begin_files(const std::vector<std::string>& paths, const nlohmann::json& begun) {
  const bool first = communicator_.rank() == 0;
  // The first exchange tells what rank 0 finds at the paths, after it has begun the files.
  Json in_order = Json::array(), identities = Json::array();
  std::set<std::string> folders;
  for (const std::string& path : paths) {
    if (first) {
      if (begun.contains(path)) {
        const auto identity = begun[path].at("identity").get<std::uint64_t>();
        sink_.reopen(path, begun[path].at("bytes").get<std::uint64_t>(), identity);
        identities.push_back(identity);
      } else {
        identities.push_back(sink_.create(path));
      }
      in_order.push_back(sink_.is_sequential(path));
    }
    if (!writers_.contains(folder_of(path))) folders.insert(folder_of(path));
  }
  Json own = {{"in_order", in_order}, {"identities", identities}, {"sites", Json::array()}};
  for (const std::string& folder : folders) {
    const Site site = probe_(folder);
    own["sites"].push_back({site.host, site.file_system});
  }
  const std::vector<Json> all = gather(communicator_, own, "output.files");
  std::size_t number = 0;
  for (const std::string& folder : folders) {
    std::vector<Site> sites;
    for (const Json& rank : all) {
      const Json& site = rank["sites"][number];
      sites.push_back({site[0].get<std::string>(), site[1].get<std::int64_t>()});
    }
    writers_[folder] = writers_of(sites);
    ++number;
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool alone = all.front()["in_order"][i].get<bool>();
    files_[paths[i]].identity = all.front()["identities"][i].get<std::uint64_t>();
    sink_.expect(paths[i], files_[paths[i]].identity);
    files_[paths[i]].writers = alone ? std::vector<int>{0} : writers_.at(folder_of(paths[i]));
  }
}

void FileLayout::pass_on(std::vector<std::string>& bytes, const std::vector<Entry>& entries) {
  const bool moved =
      std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.owner != entry.writer; });
  if (!moved) return;
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  const int rank = communicator_.rank();
  Counts send(ranks, 0), receive(ranks, 0);
  for (const Entry& entry : entries) {
    if (entry.owner == entry.writer) continue;
    const auto size = static_cast<std::int64_t>(entry.size);
    if (entry.owner == rank) send[static_cast<std::size_t>(entry.writer)] += size;
    if (entry.writer == rank) receive[static_cast<std::size_t>(entry.owner)] += size;
  }
  at::Tensor out = at::empty({std::accumulate(send.begin(), send.end(), std::int64_t{0})}, at::kByte);
  Counts next(ranks, 0);
  std::exclusive_scan(send.begin(), send.end(), next.begin(), std::int64_t{0});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].owner != rank || entries[i].writer == rank) continue;
    std::int64_t& at = next[static_cast<std::size_t>(entries[i].writer)];
    std::memcpy(static_cast<char*>(out.data_ptr()) + at, bytes[i].data(), bytes[i].size());
    at += static_cast<std::int64_t>(bytes[i].size());
    bytes[i] = std::string();
  }
  const at::Tensor in = communicator_.all_to_all(out, send, receive, "output.messages");
  std::exclusive_scan(receive.begin(), receive.end(), next.begin(), std::int64_t{0});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].writer != rank || entries[i].owner == rank) continue;
    std::int64_t& at = next[static_cast<std::size_t>(entries[i].owner)];
    bytes[i].assign(static_cast<const char*>(in.const_data_ptr()) + at, static_cast<std::size_t>(entries[i].size));
    at += static_cast<std::int64_t>(entries[i].size);
  }
}

}  // namespace tradewind::outputs
