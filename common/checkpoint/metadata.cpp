// Reading the metadata JSON: where it lies, the user's patch, which layout it has, and its grid.
#include "common/checkpoint/metadata.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/listing.h"
#include "common/checkpoint/metadata_json.h"
#include "common/checkpoint/metadata_parts.h"
#include "common/errors.h"

namespace tradewind::checkpoint {
namespace {

// Known metadata has less than 1 MB and is packed to a tenth at best; beyond both bounds together it is no metadata.
constexpr std::uint64_t kLargestMetadata = std::uint64_t{64} << 20;
constexpr std::uint64_t kUsualMetadata = std::uint64_t{8} << 20, kBestRatio = 100;
constexpr std::size_t kMostDatasets = 20;  // each holds the document

const archive::Entry& find_document(const archive::Archive& archive) {
  for (const char* name : {"anemoi.json", "ai-models.json"}) {
    const archive::Entry* found = nullptr;
    for (const archive::Entry& entry : archive.entries()) {
      const auto slash = entry.name.rfind('/');
      if (entry.name.substr(slash == std::string::npos ? 0 : slash + 1) != name) continue;
      if (found != nullptr) {
        throw UserError("two metadata files: " + found->name + " and " + entry.name, archive.path());
      }
      found = &entry;
    }
    if (found != nullptr) return *found;
  }
  throw UserError("no metadata (anemoi.json or ai-models.json) in the checkpoint", archive.path(),
                  "give an inference checkpoint, not one for training");
}

// Tables are merged, everything else replaces what is there.
void merge(Json& into, const Json& patch, const std::string& path, bool parent_is_new,
           std::vector<std::string>& new_keys) {
  for (const auto& [key, value] : patch.items()) {
    std::string full_key = path;
    add_to_list(full_key, key, ".");
    const bool is_new = !into.contains(key);
    if (is_new && !parent_is_new) new_keys.push_back(full_key);
    if (value.is_object() && (is_new || into[key].is_object())) {
      if (is_new) into[key] = Json::object();
      merge(into[key], value, full_key, parent_is_new || is_new, new_keys);
    } else {
      into[key] = value;
    }
  }
}

// Empty in the layout of one dataset, which has no name.
std::vector<std::string> dataset_names(const JsonNode& document) {
  const auto names = document.find_path({"metadata_inference", "dataset_names"});
  if (!names || names->value().empty()) return {};
  std::vector<std::string> all = names->texts();
  if (all.size() > kMostDatasets) names->fail("there are more than " + std::to_string(kMostDatasets) + " datasets");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::find(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), all[i]) !=
        all.begin() + static_cast<std::ptrdiff_t>(i))
      names->fail("the dataset " + all[i] + " is named twice");
  }
  return all;
}

std::string read_document(const archive::Archive& archive) {
  const archive::Entry& entry = find_document(archive);
  if (entry.size > kUsualMetadata && entry.size / kBestRatio > entry.stored_size) {
    throw UserError(std::to_string(entry.stored_size) + " bytes would unpack to " + std::to_string(entry.size),
                    archive.path() + ": " + entry.name, "the checkpoint is damaged; export it again");
  }
  return archive.read(entry, kLargestMetadata);
}

// Whether a patch is for each dataset by its name, as other options may be; else it is for all of them.
bool is_by_name(const Json& patch, const std::vector<std::string>& datasets) {
  const auto in_patch = [&](const std::string& name) { return patch.contains(name); };
  if (std::none_of(datasets.begin(), datasets.end(), in_patch)) return false;
  for (const std::string& name : datasets) {
    if (!in_patch(name))
      throw UserError("it names some of the checkpoint's datasets and not '" + name + "'", "patch_metadata",
                      "name all of them (" + listed(datasets) + "), or none for what is meant for all");
  }
  return true;
}

// Where the list of constant fields is read, and need not have been: elsewhere it would have no effect.
bool is_constant_fields(const std::string& key, const Metadata& metadata) {
  if (!metadata.multi_dataset_layout) return key == "dataset.constant_fields";
  const auto datasets = metadata.raw.find("dataset");
  if (datasets == metadata.raw.end() || !datasets->is_object()) return false;
  for (const auto& [name, value] : datasets->items())
    if (key == "dataset." + name + ".constant_fields") return true;
  return false;
}

void apply_patch(const Json& patch, Metadata& out) {
  merge(out.raw, patch, "", false, out.new_keys);
  std::erase_if(out.new_keys, [&](const std::string& key) { return is_constant_fields(key, out); });
}

MetadataLayout find_layout(const JsonNode& document, const Metadata& metadata) {
  if (!metadata.multi_dataset_layout) {
    return {document, document.at("dataset"), document.at("data_indices"), document.at("config"), std::nullopt};
  }
  return {document, document.at("dataset").at(metadata.dataset), document.at("data_indices").at(metadata.dataset),
          document.at("config"), document.at("metadata_inference").at(metadata.dataset)};
}

std::int64_t checked_size(const JsonNode& node) {
  const std::int64_t size = node.integer();
  if (size < 0 || size > std::numeric_limits<std::int32_t>::max()) node.fail("a size is needed");
  return size;
}

Metadata::Array read_array_entry(const JsonNode& node) {
  Metadata::Array out;
  out.entry = node.at("path").text();
  out.dtype = node.at("dtype").text();
  for (const JsonNode& size : node.at("shape").items()) out.shape.push_back(checked_size(size));
  return out;
}

// Names of arrays may lie deeper (of a source of a cut-out): they are joined by /.
void collect_arrays(const JsonNode& table, const std::string& above, Metadata& out) {
  if (!table.value().is_object()) table.fail("a table is needed");
  for (const auto& item : table.value().items()) {
    const JsonNode entry = table.at(item.key());
    std::string name = above;
    add_to_list(name, item.key(), "/");
    if (entry.find("path")) {
      out.arrays[name] = read_array_entry(entry);
    } else {
      collect_arrays(entry, name, out);
    }
  }
}

// In older files the request lies with the sources; the first that knows the grid counts.
std::string grid_of(const JsonNode& dataset) {
  std::vector<JsonNode> requests;
  if (const auto direct = dataset.find("data_request")) {
    requests.push_back(*direct);
  } else {
    requests = find_everywhere(dataset, "data_request");
  }
  for (const JsonNode& request : requests) {
    const auto grid = request.find("grid");
    if (!grid) continue;
    if (!grid->value().is_array()) return grid->scalar_text();
    std::string joined;
    for (const JsonNode& part : grid->items()) add_to_list(joined, part.scalar_text(), "/");
    return joined;
  }
  return {};
}

std::int64_t points_of(const MetadataLayout& layout, const Metadata& metadata) {
  for (const char* name : {"grid_indices", "latitudes"}) {
    const auto array = metadata.arrays.find(name);
    if (array != metadata.arrays.end() && !array->second.shape.empty()) return array->second.shape.front();
  }
  if (const auto shape = layout.dataset.find("shape")) {
    const auto sizes = shape->items();
    if (sizes.empty()) shape->fail("a shape is needed");
    return checked_size(sizes.back());
  }
  std::string grid = metadata.grid;
  std::transform(grid.begin(), grid.end(), grid.begin(), [](unsigned char c) { return std::tolower(c); });
  if (grid == "o96") return 40320;
  if (grid == "n320") return 542080;
  return 0;
}

}  // namespace

void read_grid(const MetadataLayout& layout, Metadata& out) {
  if (auto arrays = layout.document.find("supporting_arrays_paths")) {
    if (out.multi_dataset_layout) arrays = arrays->find(out.dataset);
    if (arrays) collect_arrays(*arrays, "", out);
  }
  out.grid = grid_of(layout.dataset);
  out.grid_points = points_of(layout, out);
}

namespace {

void read_facts(Metadata& out) {
  const JsonNode whole(out.raw);
  const MetadataLayout layout = find_layout(whole, out);
  if (const auto task = whole.find_path({"metadata_inference", "task"})) out.task = task->text();
  if (const auto precision = layout.config.find_path({"training", "precision"})) {
    out.precision = precision->scalar_text();
  }
  read_variables(layout, out);
  read_columns(layout, out);
  read_time(layout, out);
  read_grid(layout, out);
}

}  // namespace

std::vector<Metadata> interpret_datasets(const Json& document, const Json& patch) {
  std::vector<std::string> names = dataset_names(JsonNode(document));
  const bool has_names = !names.empty();
  if (!has_names) names = {"data"};
  if (!patch.is_null() && !patch.is_object()) throw UserError("patch_metadata is no table", "patch_metadata");
  const bool by_name = is_by_name(patch, names);
  std::vector<Metadata> all;
  for (const std::string& name : names) {
    Metadata& out = all.emplace_back();
    out.raw = document;
    out.dataset = name;
    out.multi_dataset_layout = has_names;
    if (!patch.is_null()) apply_patch(by_name ? patch.at(name) : patch, out);
    read_facts(out);
  }
  return all;
}

Metadata interpret_metadata(Json document, const Json& patch) {
  return std::move(interpret_datasets(document, patch).front());
}

std::vector<Metadata> read_metadata(const archive::Archive& archive, const Json& patch) {
  try {
    return interpret_datasets(parse_python_json(read_document(archive)), patch);
  } catch (const UserError& error) {
    if (error.where().starts_with(archive.path())) throw;
    std::string where = archive.path();
    if (!error.where().empty()) add_to_list(where, error.where(), ": ");
    throw UserError(error.message(), where, error.remedy());
  }
}

}  // namespace tradewind::checkpoint
