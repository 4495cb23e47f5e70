#include "tests/oracle/oracle.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace limber::oracle {
namespace {

constexpr uint64_t kGamma = 0x9E3779B97F4A7C15;

uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

double unit(uint64_t x) { return double(x >> 40) * 0x1p-24; }
double f32(double v) { return double(float(v)); }

void flatten(const Json& value, std::vector<double>& out) {
  if (value.is_array()) {
    for (const Json& item : value) flatten(item, out);
  } else {
    out.push_back(number(value));
  }
}

Array permuted(const Array& a, std::array<int, 4> order) {
  check(a.shape.rank() == 4, "oracle: four dimensions expected, not ", a.shape);
  std::array<int64_t, 4> strides{}, extent{}, step{};
  int64_t stride = 1;
  for (int i = 3; i >= 0; --i) {
    strides[i] = stride;
    stride *= a.shape[i];
  }
  for (int i = 0; i < 4; ++i) {
    extent[i] = a.shape[order[i]];
    step[i] = strides[order[i]];
  }
  Array out{Shape(std::span<const int64_t>(extent)), {}};
  out.values.reserve(a.values.size());
  for (int64_t i = 0; i < extent[0]; ++i)
    for (int64_t j = 0; j < extent[1]; ++j)
      for (int64_t k = 0; k < extent[2]; ++k)
        for (int64_t l = 0; l < extent[3]; ++l)
          out.values.push_back(a.values[i * step[0] + j * step[1] + k * step[2] + l * step[3]]);
  return out;
}

bool same(double expected, double actual, double slack) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return expected == actual;
  return std::abs(expected - actual) <= slack;
}

// The standard deviation of what is finite.
double spread_of(const std::vector<double>& values) {
  double count = 0, mean = 0, square = 0;
  for (double v : values) count += std::isfinite(v) ? 1 : 0;
  for (double v : values) mean += std::isfinite(v) ? v / count : 0;
  for (double v : values) square += std::isfinite(v) ? (v - mean) * (v - mean) : 0;
  return std::sqrt(square / std::max(1.0, count));
}

}  // namespace

Array to_array(const Tensor& t) {
  const Tensor wide = t.to(DType::f64);
  return {t.shape(), {wide.data<double>(), wide.data<double>() + wide.numel()}};
}

Tensor to_tensor(const Array& a) {
  return Tensor::from(std::vector<float>(a.values.begin(), a.values.end()), a.shape);
}

Array channels_first(const Tensor& nhwc) { return permuted(to_array(nhwc), {0, 3, 1, 2}); }
Tensor channels_last(const Array& nchw) { return to_tensor(permuted(nchw, {0, 2, 3, 1})); }

double number(const Json& value) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
    fail("oracle: not a number: ", text);
  }
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  return value.get<double>();
}

Array inline_array(const Json& record) {
  Array a;
  if (record.is_object()) {
    flatten(record.at("values"), a.values);
    const auto dims = record.at("shape").get<std::vector<int64_t>>();
    a.shape = Shape(std::span<const int64_t>(dims));
    return a;
  }
  std::vector<int64_t> dims;
  for (const Json* level = &record; level->is_array(); level = &level->at(0)) {
    dims.push_back(int64_t(level->size()));
    if (level->empty()) break;
  }
  flatten(record, a.values);
  a.shape = Shape(std::span<const int64_t>(dims));
  return a;
}

uint64_t fnv1a64(std::string_view name) {
  uint64_t h = 0xcbf29ce484222325;
  for (unsigned char c : name) h = (h ^ c) * 0x100000001b3;
  return h;
}

uint64_t hash_at(std::string_view name, int64_t index) {
  return mix(fnv1a64(name) + uint64_t(index + 1) * kGamma);
}

Array hashv(std::string_view name, const Shape& shape) {
  Array a{shape, std::vector<double>(size_t(shape.numel()))};
  uint64_t state = fnv1a64(name);
  for (double& v : a.values) v = 2 * unit(mix(state += kGamma)) - 1;
  return a;
}

Array hashu(std::string_view name, const Shape& shape, double lo, double hi) {
  Array a = hashv(name, shape);
  for (double& v : a.values) v = f32(lo + (hi - lo) * ((v + 1) * 0.5));
  return a;
}

Array hash_image(const Shape& nchw) {
  Array image = hashv("input", nchw);
  const int64_t planes = nchw[0] * nchw[1], height = nchw[2], width = nchw[3];
  const Array coarse = hashv("input.coarse", {nchw[0], nchw[1], 8, 8});
  for (int64_t p = 0; p < planes; ++p)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        double& v = image.values[size_t((p * height + y) * width + x)];
        v = f32(0.5 * v + coarse.values[size_t(p * 64 + y * 8 / height * 8 + x * 8 / width)]);
      }
  return image;
}

Array hash_parameter(std::string_view name, const Shape& shape, double gain) {
  const std::string_view leaf = name.substr(name.rfind('.') + 1);
  Array a = hashv(name, shape);
  const auto affine = [&](double offset, double scale) {
    for (double& v : a.values) v = f32(offset + scale * v);
  };
  if (leaf == "num_batches_tracked") {
    affine(0, 0);
  } else if (leaf == "running_mean" || (leaf != "running_var" && leaf.ends_with("bias"))) {
    affine(0, 0.1);
  } else if (leaf == "running_var") {
    affine(1, 0.25);
  } else if (leaf == "gamma" || leaf == "scale" || leaf == "g") {
    affine(1, 0.1);
  } else if (leaf.ends_with("weight") && shape.rank() >= 2) {
    const double fan_in = double(shape.numel()) / double(shape[0]);
    const double scale = std::sqrt(3 / fan_in) * gain;
    for (double& v : a.values) v = f32(v * scale);
  } else if (leaf.ends_with("weight")) {
    affine(1, 0.1);
  } else {
    affine(0, 0.1);
  }
  return a;
}

double Case::compare(const Json& record, const Array& actual, Tolerance tolerance) {
  const std::string name = record.value("name", "");
  if (record.contains("shape")) {  // gradients of training steps come without
    const auto dims = record.at("shape").get<std::vector<int64_t>>();
    const Shape shape{std::span<const int64_t>(dims)};
    if (!(shape == actual.shape)) {
      expect(false, str(name, ": shape ", actual.shape, ", expected ", shape));
      return std::numeric_limits<double>::infinity();
    }
  }
  const bool all = record.contains("values");
  std::vector<double> expected;
  flatten(record.at(all ? "values" : "sampled"), expected);
  const auto statistic = [&](const char* key) {
    return record.contains(key) ? number(record.at(key)) : std::nan("");
  };
  double spread = statistic("std");
  if (std::isnan(spread))
    spread = statistic("l2") / std::sqrt(std::max<double>(1, double(actual.shape.numel())));
  if (std::isnan(spread)) spread = spread_of(expected);
  double worst = 0, square_error = 0, square_slack = 0;
  for (size_t k = 0; k < expected.size(); ++k) {
    const size_t index =
        all ? k : size_t(hash_at(name, int64_t(k)) % uint64_t(actual.values.size()));
    const double got = actual.values[index];
    // Nine printed digits bound what the record itself can say.
    const double slack =
        tolerance.of_std * spread + tolerance.absolute + 1e-6 * std::abs(expected[k]);
    if (tolerance.finite_for_nan && std::isnan(expected[k])) {
      expect(std::isfinite(got), str(name, "[", index, "]: ", got, ", expected a finite number"));
      continue;
    }
    if (tolerance.mean_square && std::isfinite(expected[k]) && std::isfinite(got)) {
      square_error += (got - expected[k]) * (got - expected[k]);
      square_slack += slack * slack;
    } else if (!same(expected[k], got, slack)) {
      expect(false,
             str(name, "[", index, "]: ", got, ", expected ", expected[k], " within ", slack));
      return std::abs(got - expected[k]) / std::max(spread, 1e-30);
    }
    if (std::isfinite(expected[k]))
      worst = std::max(worst, std::abs(got - expected[k]) / std::max(spread, 1e-30));
  }
  if (square_error > square_slack)
    expect(false, str(name, ": errors of ", std::sqrt(square_error / square_slack),
                      " times what is allowed, root mean square"));
  if (record.contains("l2") && !record.contains("nonfinite")) {
    double square = 0;
    for (double v : actual.values) square += v * v;
    const double l2 = number(record.at("l2"));
    const double slack =
        (tolerance.of_std * spread + tolerance.absolute) * std::sqrt(double(actual.values.size())) +
        1e-6 * l2;
    if (!same(l2, std::sqrt(square), slack))
      expect(false, str(name, ": norm ", std::sqrt(square), ", expected ", l2));
  }
  return worst;
}

void Case::expect(bool condition, const std::string& what) {
  if (!condition) faults_.push_back(what);
}

void Report::add(const Case& done) {
  if (done.faults().empty()) {
    ++passed_;
    return;
  }
  std::string why = done.faults().front();
  if (done.faults().size() > 1) why += str(" (and ", done.faults().size() - 1, " more)");
  fail(done.name(), why);
}

void Report::fail(const std::string& name, const std::string& why) {
  ++failed_;
  std::printf("FAILED  %s: %s\n", name.c_str(), why.c_str());
  std::fflush(stdout);
}

void Report::skip(const std::string& name, const std::string& why) {
  ++skipped_;
  std::printf("skipped %s: %s\n", name.c_str(), why.c_str());
}

}  // namespace limber::oracle
