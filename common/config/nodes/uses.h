// What a part of the configuration asks of its surroundings: paths that it reads or writes, names that must mean
// something in the checkpoint. Kinds of inputs, filters and outputs tell it of themselves, so that whoever holds paths
// against each other, or names against a checkpoint, knows no kind. Plain values.
#pragma once

#include <string>
#include <vector>

#include "common/config/nodes/node.h"

namespace tradewind::config {

struct PathUse {
  enum class How {
    reads,
    writes,        // under its own name
    writes_beside  // as NAME.partial, with NAME.lock, until it is whole
  };
  enum class Names {
    one,           // the path itself
    keys,          // {key} stands for any text
    sources,       // a file, the GRIB files below a folder, or what a pattern matches
    name_or_array  // a file if it is there, else the name of an array in the checkpoint
  };
  How how = How::reads;
  Names names = Names::one;
  std::string path;  // as written, with {dataset}
  std::string role;  // "the input"
  Origin at;
  int parts = 0;  // more than none: so many files, with_part() of the path
};

struct NameUse {
  enum class Must {
    be_forecast,       // the model's output; else refused, or warned of where one of `beside` is
    be_variable,       // of input or output; else warned of
    be_param,          // of some variable; else warned of
    be_file_or_array,  // a file, or an array of the checkpoint; else refused
    be_accumulations   // without a name: some output is an accumulation; else warned of
  };
  Must must = Must::be_forecast;
  std::string name;
  Origin at;
  std::vector<std::string> beside = {};  // all names of the list in which it stands
};

struct Uses {
  std::vector<PathUse> paths;
  std::vector<NameUse> names;
};

// {dataset} and {dataset_name} replaced.
std::string with_dataset(std::string path, const std::string& dataset);
// FILE_w<part>: out/a.grib becomes out/a_w0.grib, the suffix comes before the last dot of the name, if there is one.
std::string with_part(const std::string& path, int part);

}  // namespace tradewind::config
