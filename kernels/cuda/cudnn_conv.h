// Convolutions by cuDNN where the build and the case have it.
//
// Each function says whether it did the work, epilogue included; otherwise the caller tries it with
// the epilogue as a pass of its own, or this project's own kernels do. They stand in cudnn/
// (cuDNN's graph interface) and, for builds without it, return false.
#pragma once

#include "kernels/conv.h"

namespace limber::kernels::cuda {

bool cudnn_conv_forward(const Exec& ex, const Conv& s, const Epilogue& e, Out y, In x, In weight,
                        In bias);
bool cudnn_conv_backward_data(const Exec& ex, const Conv& s, const Epilogue& e, Out dx, In dy,
                              In weight, In bias);
bool cudnn_conv_backward_weight(const Exec& ex, const Conv& s, Out dweight, In x, In dy);

}  // namespace limber::kernels::cuda
