#include "worker/nn/trunk.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/errors.h"
#include "worker/nn/mapper.h"
#include "worker/nn/processor.h"
#include "worker/nn/row_source.h"

namespace tradewind::nn {
namespace {

class Process : public Stage {
 public:
  Process(const checkpoint::ProcessStage& stage, const TrunkContext& context)
      : level_(stage.level),
        skip_(stage.skip),
        processor_(make_processor(stage.processor, {context.precision, context.levels.at(level_), context.communicator,
                                                    context.least_chunks, context.workspace})) {}
  void move_to(at::Device device) override { processor_->move_to(device); }
  void fix(const std::vector<at::Tensor>&, Workspace&) override {}
  void operator()(std::vector<LevelRows>& levels, const RowSource* condition, dist::Communicator& communicator,
                  Workspace& workspace) const override {
    at::Tensor& x = levels.at(level_).x;
    const at::Tensor before = skip_ ? x.clone() : at::Tensor();
    (*processor_)(x, level_ == 0 ? condition : nullptr, communicator, workspace);
    if (skip_) x.add_(before);
  }

 private:
  std::size_t level_;
  bool skip_;
  std::unique_ptr<Processor> processor_;
};

std::unique_ptr<Mapper> mapper_of(const checkpoint::MapperDescription& description, std::size_t from, std::size_t to,
                                  const TrunkContext& context) {
  const std::string place = (from < to ? "down " : "up ") + std::to_string(std::min(from, to));
  return make_mapper(description, {context.precision, context.levels.at(from), context.levels.at(to),
                                   context.communicator, place, context.least_pieces, context.workspace});
}

Mapper::Sink into(at::Tensor& out) {
  return [&out](std::int64_t first, const at::Tensor& chunk) { out.narrow(0, first, chunk.size(0)).copy_(chunk); };
}

class Down : public Stage {
 public:
  Down(const checkpoint::DownStage& stage, const TrunkContext& context)
      : level_(stage.level),
        rows_(context.levels.at(level_ + 1).range(context.communicator.rank()).size()),
        mapper_(mapper_of(stage.mapper, level_, level_ + 1, context)) {}
  void move_to(at::Device device) override { mapper_->move_to(device); }
  void fix(const std::vector<at::Tensor>& attributes, Workspace& workspace) override {
    mapper_->fix_destinations(attributes.at(level_ + 1), workspace);
  }
  void operator()(std::vector<LevelRows>& levels, const RowSource*, dist::Communicator& communicator,
                  Workspace& workspace) const override {
    LevelRows& from = levels.at(level_);
    from.kept = std::move(from.x);
    at::Tensor x = at::empty({rows_, mapper_->outputs()}, from.kept.options());
    (*mapper_)(TensorRows(from.kept, workspace.operations()), nullptr, nullptr, into(x), communicator, workspace);
    levels.at(level_ + 1).x = std::move(x);
  }
  const Mapper& mapper() const { return *mapper_; }

 private:
  std::size_t level_;
  std::int64_t rows_;
  std::unique_ptr<Mapper> mapper_;
};

// Comes back to what the mapper that left the level has made of its rows.
class Up : public Stage {
 public:
  Up(const checkpoint::UpStage& stage, const Mapper& down, const TrunkContext& context)
      : level_(stage.level), down_(down), mapper_(mapper_of(stage.mapper, level_ + 1, level_, context)) {}
  void move_to(at::Device device) override { mapper_->move_to(device); }
  void fix(const std::vector<at::Tensor>&, Workspace&) override {}
  void operator()(std::vector<LevelRows>& levels, const RowSource*, dist::Communicator& communicator,
                  Workspace& workspace) const override {
    LevelRows &to = levels.at(level_), &from = levels.at(level_ + 1);
    to.x = at::empty({to.kept.size(0), mapper_->outputs()}, to.kept.options());
    const TensorRows sources(from.x, workspace.operations()), kept(to.kept, workspace.operations());
    const std::unique_ptr<RowSource> updated = down_.updated_sources(kept, workspace);
    (*mapper_)(sources, updated ? updated.get() : &kept, nullptr, into(to.x), communicator, workspace);
    to.x.add_(to.kept);
    to.kept = at::Tensor();
    from.x = at::Tensor();
  }

 private:
  std::size_t level_;
  const Mapper& down_;
  std::unique_ptr<Mapper> mapper_;
};

struct StageMaker {
  const TrunkContext& context;
  std::vector<const Mapper*>& downs;  // by the level they leave
  using Made = std::unique_ptr<Stage>;
  Made operator()(const checkpoint::ProcessStage& stage) const { return std::make_unique<Process>(stage, context); }
  Made operator()(const checkpoint::DownStage& stage) const {
    auto down = std::make_unique<Down>(stage, context);
    downs.at(stage.level) = &down->mapper();
    return down;
  }
  Made operator()(const checkpoint::UpStage& stage) const {
    return std::make_unique<Up>(stage, *downs.at(stage.level), context);
  }
};

// The level that a stage works on when x is on `level`, and where it leads.
struct Way {
  std::size_t level;
  std::size_t operator()(const checkpoint::ProcessStage& stage) const { return expect(stage.level, level); }
  std::size_t operator()(const checkpoint::DownStage& stage) const { return expect(stage.level, level) + 1; }
  std::size_t operator()(const checkpoint::UpStage& stage) const { return expect(stage.level + 1, level) - 1; }
  static std::size_t expect(std::size_t stage, std::size_t level) {
    if (stage != level) throw InternalFault("a stage of a level that no other leads to");
    return level;
  }
};

}  // namespace

Trunk::Trunk(const checkpoint::ModelDescription& model, const TrunkContext& context) : levels_(model.levels.size()) {
  std::size_t level = 0;
  std::vector<const Mapper*> downs(levels_);
  for (const checkpoint::StageDescription& stage : model.trunk) {
    level = std::visit(Way{level}, stage);
    stages_.push_back(std::visit(StageMaker{context, downs}, stage));
  }
  if (level != 0) throw InternalFault("a trunk that does not end on level 0");
}

void Trunk::move_to(at::Device device) {
  for (const auto& stage : stages_) stage->move_to(device);
}

void Trunk::fix(const std::vector<at::Tensor>& attributes, Workspace& workspace) {
  for (const auto& stage : stages_) stage->fix(attributes, workspace);
}

at::Tensor Trunk::operator()(at::Tensor x, const RowSource* condition, dist::Communicator& communicator,
                             Workspace& workspace) const {
  std::vector<LevelRows> levels(levels_);
  levels.front().x = std::move(x);
  for (const auto& stage : stages_) (*stage)(levels, condition, communicator, workspace);
  return std::move(levels.front().x);
}

}  // namespace tradewind::nn
