// The parity runner's vocabulary: cases, arrays recomputed by the hashfill rule, comparison with
// recorded numbers. The format is described in the README of the oracle folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace limber::oracle {

using Json = nlohmann::json;

// An array in the reference's layout (N, C, H, W), C order.
struct Array {
  Shape shape;
  std::vector<double> values;
};

Array to_array(const Tensor& t);           // same extents
Tensor to_tensor(const Array& a);          // f32
Array channels_first(const Tensor& nhwc);  // (N, H, W, C) -> (N, C, H, W)
Tensor channels_last(const Array& nchw);   // (N, C, H, W) -> (N, H, W, C)
// {"shape", "values"} with "nan", "inf", "-inf" as strings; a bare (nested) list or number too.
Array inline_array(const Json& record);
double number(const Json& value);

// The hashfill rule.
uint64_t fnv1a64(std::string_view name);
uint64_t hash_at(std::string_view name, int64_t index);
Array hashv(std::string_view name, const Shape& shape);
Array hashu(std::string_view name, const Shape& shape, double lo, double hi);
Array hash_image(const Shape& nchw);
// The value of a parameter of this (full) name.
Array hash_parameter(std::string_view name, const Shape& shape, double gain);

struct Tolerance {
  double of_std = 2e-4;  // times the record's standard deviation
  double absolute = 1e-6;
  // Where the record holds NaN (the reference divided 0 by 0), ask for a finite number instead.
  bool finite_for_nan = false;
  // Bounds the root mean square of a record's errors rather than each of them.
  bool mean_square = false;
};

// Collects what differs in one case.
class Case {
 public:
  explicit Case(std::string name) : name_(std::move(name)) {}
  // Compares with a record that holds all values or a summary with samples. Returns the largest
  // error in units of the record's standard deviation.
  double compare(const Json& record, const Array& actual, Tolerance tolerance = {});
  void expect(bool condition, const std::string& what);
  const std::string& name() const { return name_; }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  std::string name_;
  std::vector<std::string> faults_;
};

// Counts cases and prints what failed or was skipped, one line each, as they come.
class Report {
 public:
  void add(const Case& done);
  void fail(const std::string& name, const std::string& why);
  void skip(const std::string& name, const std::string& why);
  int passed() const { return passed_; }
  int failed() const { return failed_; }
  int skipped() const { return skipped_; }

 private:
  int passed_ = 0, failed_ = 0, skipped_ = 0;
};

// One file of a folder; `name` is folder/stem. `samples` is the folder beside the oracle's.
struct File {
  std::string name, stem;
  Json json;
  std::filesystem::path root;     // the oracle folder
  std::filesystem::path samples;  // root/.. , what "samples/..." paths are relative to
};

// One checker per folder, listed in main.cpp.
void check_codecs(const File&, Report&);
void check_schedules(const File&, Report&);
void check_transforms(const File&, Report&);
void check_metric_functions(const File&, Report&);
void check_metrics(const File&, Report&);
void check_losses(const File&, Report&);
void check_heads(const File&, Report&);
void check_models(const File&, Report&);
void check_training(const File&, Report&);
void check_metainfo(const File&, Report&);
void check_dataset_lists(const File&, Report&);

}  // namespace limber::oracle
