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

// Fills every parameter and buffer by the hashfill rule.
void fill(ParameterStore& store, double gain);

// Compares names, stored shapes and kinds with the listing [name, shape, kind].
void check_parameters(const ParameterStore& store, const Json& listing, Case& result);

// A feature map, (N, H, W, C) -> (N, C, H, W); others as they are.
Array feature_array(const Tensor& t);

// A batch of samples with targets, made from a case's "samples" and "generate_target".
std::vector<DataSample> encode_samples(const File& file, Case& result);

// Records [name, ...] of losses, gradients, buffers against what a training step gave.
void check_losses_of_step(const Json& json, const Losses& losses, Case& result);
// Inputs of four dimensions are channels last unless `as_recorded`. A gradient that is NaN in the
// record must be finite: there the reference divides 0 by 0.
void check_gradients(const Json& records, const ParameterStore& store,
                     const std::vector<std::pair<std::string, Tensor>>& inputs, Case& result,
                     bool as_recorded = false);
void check_buffers(const Json& records, const ParameterStore& store, Case& result);

// The sum over all losses whose name contains "loss".
Tensor total_loss(const Losses& losses);

}  // namespace limber::oracle
