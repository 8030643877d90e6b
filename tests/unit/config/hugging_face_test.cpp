// `checkpoint: {huggingface: ...}` in caches laid out as huggingface_hub lays them out.
#include <filesystem>

#include "common/config/hugging_face.h"
#include "tests/unit/config/config_case.h"

using namespace tradewind;
using namespace tradewind::config;
namespace fs = std::filesystem;

namespace {

const std::string old_commit(40, 'a'), new_commit(40, 'b');

// A cache with two commits of ecmwf/aifs: `main` is the new one, the tag v1 the old one.
struct Cache {
  ConfigCase test;
  fs::path hub = test.path("home/.cache/huggingface/hub"), repository = hub / "models--ecmwf--aifs";

  Cache() {
    for (const std::string& commit : {old_commit, new_commit})
      fs::create_directories(repository / "snapshots" / commit);
    fs::create_directories(repository / "refs/refs/pr");
    write(repository / "refs/main", new_commit + "\n");
    write(repository / "refs/v1", old_commit);
    write(repository / "refs/refs/pr/1", old_commit);
    write(repository / "snapshots" / new_commit / "aifs.ckpt", "new");
    write(repository / "snapshots" / old_commit / "aifs.ckpt", "old");
    test.environment.set("HOME", test.path("home"));
  }
  static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  std::string file(const std::string& commit, const std::string& name = "aifs.ckpt") const {
    return (repository / "snapshots" / commit / name).string();
  }
  std::string found(const std::string& checkpoint, const std::vector<std::string>& overrides = {}) const {
    return parse_run_config(test.document("checkpoint: " + checkpoint + "\ninput: dummy\n", overrides)).checkpoint;
  }
  UserError refusal(const std::string& checkpoint) const {
    return error_of([&] { found(checkpoint); });
  }
};

}  // namespace

TEST_CASE("a checkpoint of the Hub is the file in the local cache") {
  Cache cache;
  CHECK(cache.found("{huggingface: ecmwf/aifs}") == cache.file(new_commit));
  CHECK(cache.found("{huggingface: {repo_id: ecmwf/aifs}}") == cache.file(new_commit));
  CHECK(cache.found("'{\"huggingface\": {\"repo_id\": \"ecmwf/aifs\", \"filename\": \"aifs.ckpt\"}}'") ==
        cache.file(new_commit));
  CHECK(cache.found("x", {"checkpoint={huggingface: ecmwf/aifs}"}) == cache.file(new_commit));
  for (const std::string& revision : {std::string("v1"), std::string("refs/pr/1"), old_commit})
    CHECK(cache.found("{huggingface: {repo_id: ecmwf/aifs, revision: " + revision + "}}") == cache.file(old_commit));
  fs::create_directories(cache.repository / "snapshots" / new_commit / "n320");
  Cache::write(cache.file(new_commit, "n320/more.ckpt"), "more");
  CHECK(cache.found("{huggingface: {repo_id: ecmwf/aifs, subfolder: n320, filename: more.ckpt}}") ==
        cache.file(new_commit, "n320/more.ckpt"));
  CHECK(cache.found("{huggingface: ecmwf/aifs}") == cache.file(new_commit));  // of the top alone
}

TEST_CASE("the cache is where the Hub's own variables say") {
  Cache cache;
  const fs::path moved = cache.test.path("elsewhere");
  fs::create_directories(moved);
  fs::rename(cache.hub, moved / "hub");
  const std::string file = (moved / "hub/models--ecmwf--aifs/snapshots" / new_commit / "aifs.ckpt").string();
  CHECK(cache.found("{huggingface: {repo_id: ecmwf/aifs, cache_dir: " + (moved / "hub").string() + "}}") == file);
  Environment& environment = cache.test.environment;
  environment.set("HF_HOME", moved.string());
  CHECK(cache.found("{huggingface: ecmwf/aifs}") == file);
  environment.set("HF_HOME", "/nowhere");
  environment.set("HF_HUB_CACHE", (moved / "hub").string());
  CHECK(cache.found("{huggingface: ecmwf/aifs}") == file);
  environment.unset("HF_HUB_CACHE");
  environment.set("HUGGINGFACE_HUB_CACHE", (moved / "hub").string());
  CHECK(cache.found("{huggingface: ecmwf/aifs}") == file);
  environment.unset("HUGGINGFACE_HUB_CACHE");
  environment.unset("HF_HOME");
  fs::rename(moved, cache.test.path("huggingface"));
  environment.set("XDG_CACHE_HOME", cache.test.path("."));
  CHECK(fs::equivalent(cache.found("{huggingface: ecmwf/aifs}"),
                       cache.test.path("huggingface/hub/models--ecmwf--aifs/snapshots/" + new_commit + "/aifs.ckpt")));
}

TEST_CASE("what is not there is named with the command that fetches it") {
  const Cache cache;
  const UserError other = cache.refusal("{huggingface: {repo_id: met-no/bris, filename: a.ckpt, revision: v2}}");
  CHECK(other.message() == "`a.ckpt` of met-no/bris is not in the cache " + cache.hub.string());
  CHECK(other.where() == cache.test.at(1, 13));
  CHECK(other.remedy() == "fetch it first: hf download met-no/bris a.ckpt --revision v2");
  CHECK(cache.refusal("{huggingface: met-no/bris}").remedy() == "fetch it first: hf download met-no/bris");
  CHECK(cache.refusal("{huggingface: {repo_id: ecmwf/aifs, repo_type: dataset}}").remedy() ==
        "fetch it first: hf download ecmwf/aifs --repo-type dataset");
  CHECK(cache.refusal("{huggingface: {repo_id: ecmwf/aifs, filename: b.ckpt}}").message().find("`b.ckpt`") == 0);
  Cache::write(cache.file(new_commit, "other.ckpt"), "other");
  CHECK(cache.refusal("{huggingface: ecmwf/aifs}").message() ==
        "the repository has several checkpoints: aifs.ckpt, other.ckpt");
}

TEST_CASE("nothing that is written about the Hub is passed over") {
  const Cache cache;
  CHECK(cache.refusal("{hugingface: ecmwf/aifs}").remedy() == "did you mean `huggingface`?");
  CHECK(cache.refusal("{huggingface: {repo: ecmwf/aifs}}").message().find("unknown key") != std::string::npos);
  CHECK(cache.refusal("{huggingface: {repo_id: ecmwf/aifs, force_download: true}}").message().find("cannot be done") !=
        std::string::npos);
  CHECK(cache.refusal("{huggingface: {repo_id: ecmwf/aifs, filename: ../../../secret}}").remedy() ==
        "give it as the Hub shows it");
  CHECK(cache.refusal("{huggingface: {repo_id: ecmwf/aifs, revision: /etc}}").remedy() ==
        "give it as the Hub shows it");
  CHECK(cache.refusal("{huggingface: /etc/passwd}").remedy() == "give it as the Hub shows it");
  const auto warned =
      cache.test.findings("checkpoint: {huggingface: {repo_id: ecmwf/aifs, token: secret}}\ninput: dummy\n");
  REQUIRE(warned.warnings().size() == 1);
  CHECK(warned.warnings()[0].find("counts for a download") != std::string::npos);
  CHECK(warned.warnings()[0].find("secret") == std::string::npos);
}

TEST_CASE("a cache that leads elsewhere is not followed out") {
  const Cache cache;
  Cache::write(cache.repository / "refs/main", "../../../../..");
  CHECK_THROWS_AS(cache.found("{huggingface: ecmwf/aifs}"), UserError);
  Cache::write(cache.repository / "refs/main", std::string(100000, 'c'));
  CHECK_THROWS_AS(cache.found("{huggingface: ecmwf/aifs}"), UserError);
}
