// What the checkers of whole networks, heads and training steps share.
#pragma once

#include <string>
#include <vector>

#include "nn/scope.h"
#include "pose/heads/head.h"
#include "tests/oracle/oracle.h"

namespace limber::oracle {

Config to_config(const Json& tree, const std::string& name);

// The type named in a config node that the project does not know, as the factory's error says it;
// cases that need it are skipped, not failed.
bool is_unknown_type(const std::exception& error);

// Fills every parameter and buffer by the hashfill rule. Constants stay as the model computes them,
// but for one whose last bit differs in the reference.
void fill(ParameterStore& store, double gain);

// Compares names, stored shapes and kinds with the listing [name, shape, kind].
void check_parameters(const ParameterStore& store, const Json& listing, Case& result);

// A feature map, (N, H, W, C) -> (N, C, H, W); others as they are.
Array feature_array(const Tensor& t);

// How a training step is run and how far its gradients may be off, in units of their root mean
// square. The coarse one also allows for sums that are 0 but for rounding, and bounds the root mean
// square of the errors of a gradient.
struct Precision {
  DType dtype = DType::f32;
  double gradients = 1e-3;
  bool coarse = false;
};

// Runs a case in f32. Where a gradient is off by more than 1e-3, the case is run in f64 and held to
// 1e-5 there, and to 0.2 in f32. Rounding alone switches ReLUs whose inputs are nearly 0: in f64,
// relative changes of 1e-8 to 1e-7 in weights and input move the gradients of ResNet-50 in training
// mode (batch 2) by 0.3 to 2 % of their norm, as f32 does (2 %), and single elements by more; 1e-7
// in the weights alone moves elements of ResNeSt-50's by more than 0.2. Cases with types that the
// project does not know are skipped.
using StepCheck = void (*)(const File& file, const Precision& precision, Case& result);
void check_step(StepCheck check, const File& file, Report& report);

// A batch of samples with targets of this type, made from a case's "samples" and "generate_target".
std::vector<DataSample> encode_samples(const File& file, DType dtype, Case& result);

// Records [name, ...] of losses, gradients, buffers against what a training step gave.
void check_losses_of_step(const Json& json, const Losses& losses, Case& result);
// Inputs of four dimensions are channels last unless `as_recorded`. A gradient that is NaN in the
// record must be finite: there the reference divides 0 by 0.
void check_gradients(const Json& records, const ParameterStore& store,
                     const std::vector<std::pair<std::string, Tensor>>& inputs,
                     const Precision& precision, Case& result, bool as_recorded = false);
void check_buffers(const Json& records, const ParameterStore& store, const Precision& precision,
                   Case& result);

// The sum over all losses whose name contains "loss".
Tensor total_loss(const Losses& losses);

}  // namespace limber::oracle
