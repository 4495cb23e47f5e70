// Convolutions of one filter per channel: no product of matrices, a thread per number.
#pragma once

#include "kernels/conv.h"
#include "kernels/exec.h"

namespace limber::kernels::cuda {

void depthwise_forward(const Exec& ex, const Conv& s, const Epilogue& e, Out y, In x, In weight,
                       In bias);
void depthwise_backward_data(const Exec& ex, const Conv& s, const Epilogue& e, Out dx, In dy,
                             In weight, In bias);
void depthwise_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy);

}  // namespace limber::kernels::cuda
