// One gradient rule per op, each an overload of backward(). A row of ops.def without its overload
// does not compile; rules.cpp expands the list.
#pragma once

#include "autograd/grad_context.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/conv.h"
#include "tensor/ops/deform_attention.h"
#include "tensor/ops/deform_conv.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/fused.h"
#include "tensor/ops/index.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/norm.h"
#include "tensor/ops/pool.h"
#include "tensor/ops/prelu.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/resize.h"
#include "tensor/ops/shape.h"
#include "tensor/ops/softmax.h"

namespace limber {

#define LIMBER_OP(name, ...) void backward(const name##Op& op, GradContext& g);
#include "tensor/ops.def"
#undef LIMBER_OP

}  // namespace limber
