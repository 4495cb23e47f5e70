#include "tests/ops/cases.h"

namespace limber::test {

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> cases = [] {
    std::vector<OpCase> all;
    for (auto part :
         {elementwise_cases, shape_cases, reduce_cases, softmax_cases, matmul_cases, cast_cases,
          conv_cases, deform_conv_cases, norm_cases, pool_cases, resize_cases, index_cases,
          attention_cases, deform_attention_cases, dropout_cases, fused_cases})
      for (OpCase& row : part()) all.push_back(std::move(row));
    return all;
  }();
  return cases;
}

}  // namespace limber::test
