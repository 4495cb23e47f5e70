// Weight initialisers, named as PyTorch and MMEngine name them.
//
// Fans count from the weight's extents: fan_in is the product of all but the first, fan_out the
// first times the kernel's area. Both hold for (O, kH, kW, I) and (O, I) weights, and for those of
// transposed convolutions, (I, kH, kW, O), where PyTorch counts the same way.
#pragma once

#include "nn/scope.h"

namespace limber::init {

enum class Fan : uint8_t { in, out };
enum class Distribution : uint8_t { uniform, normal };

Init constant(double value);
Init uniform(double lo, double hi);
Init normal(double mean, double std);
Init truncated_normal(double mean, double std, double lo = -2, double hi = 2);  // lo, hi: values
// Glorot and Bengio 2010: variance 2 gain^2 / (fan_in + fan_out).
Init xavier(double gain = 1, Distribution d = Distribution::normal);
// He et al. 2015, arXiv 1502.01852: variance 2 / ((1 + slope^2) fan).
Init kaiming(Fan fan = Fan::out, Distribution d = Distribution::normal, double slope = 0);
// MMEngine's Caffe2Xavier: Kaiming uniform of fan_in for a leaky slope of 1.
Init caffe2_xavier();
// What torch.nn layers start with: uniform in +-1 / sqrt(fan_in) of the weight.
Init torch_default(double fan_in);

double fan_in(const Shape& weight);
double fan_out(const Shape& weight);

}  // namespace limber::init
