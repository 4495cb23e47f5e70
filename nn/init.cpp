#include "nn/init.h"

#include <cmath>

namespace limber::init {
namespace {

template <class Draw>
void fill(const Tensor& t, const Draw& draw) {
  for (float& v : t.span<float>()) v = float(draw());
}

Init by_variance(std::function<double(const Shape&)> variance, Distribution d) {
  return [variance = std::move(variance), d](const Tensor& t, Random& random) {
    const double std = std::sqrt(variance(t.shape())), bound = std * std::sqrt(3.0);
    fill(t, [&] {
      return d == Distribution::normal ? std * random.normal() : random.uniform(-bound, bound);
    });
  };
}

}  // namespace

double fan_in(const Shape& weight) {
  return double(weight.numel()) / double(std::max<int64_t>(weight[0], 1));
}

double fan_out(const Shape& weight) {
  return double(weight.numel()) / double(std::max<int64_t>(weight[-1], 1));
}

Init constant(double value) {
  return [value](const Tensor& t, Random&) { fill(t, [&] { return value; }); };
}

Init uniform(double lo, double hi) {
  return [lo, hi](const Tensor& t, Random& random) {
    fill(t, [&] { return random.uniform(lo, hi); });
  };
}

Init normal(double mean, double std) {
  return [mean, std](const Tensor& t, Random& random) {
    fill(t, [&] { return mean + std * random.normal(); });
  };
}

Init truncated_normal(double mean, double std, double lo, double hi) {
  return [=](const Tensor& t, Random& random) {
    const double a = (lo - mean) / std, b = (hi - mean) / std;
    fill(t, [&] { return mean + std * random.truncated_normal(a, b); });
  };
}

Init xavier(double gain, Distribution d) {
  return by_variance([gain](const Shape& s) { return 2 * gain * gain / (fan_in(s) + fan_out(s)); },
                     d);
}

Init kaiming(Fan fan, Distribution d, double slope) {
  return by_variance(
      [fan, slope](const Shape& s) {
        return 2 / ((1 + slope * slope) * (fan == Fan::in ? fan_in(s) : fan_out(s)));
      },
      d);
}

Init caffe2_xavier() { return kaiming(Fan::in, Distribution::uniform, 1); }

Init torch_default(double fan) {
  const double bound = fan > 0 ? 1 / std::sqrt(fan) : 0;
  return uniform(-bound, bound);
}

}  // namespace limber::init
