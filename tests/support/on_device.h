// A pipeline whose LoadImage has `on_device` against the same pipeline without.
#pragma once

#include <string>
#include <vector>

#include "tensor/device.h"
#include "tests/support/tiny_run.h"

namespace limber::test {

// Batches of both, made from the same pictures with the same draws, have the same inputs (to the
// bit of a byte) and the same targets; `encoder` is GenerateTarget's.
void expect_same_batches(const std::string& encoder, Device device);

// The losses that `limber train` of a tiny run logged.
std::vector<double> logged_losses(const TinyRun& run, const std::string& work_dir);
// Losses of a run with on_device are those of one without, within rounding.
void expect_same_losses(const std::string& device);

}  // namespace limber::test
