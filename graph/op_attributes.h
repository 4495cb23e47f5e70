// The attributes of every op as bytes: two ops are equal when kind and bytes are, and a .limber
// file holds them. An op that is added must have a row in the table of op_attributes.cpp, or that
// does not compile.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/op.h"

namespace limber {

// Little endian, one attribute after another in the order of the table's row.
std::vector<uint8_t> attribute_bytes(const Op& op);

// The op of this kind; throws InputError where the bytes are not those of one.
std::shared_ptr<const Op> op_from_bytes(OpKind kind, std::span<const uint8_t> bytes);

// "stride 2 2, padding 1 1, ...", for people.
std::string describe_attributes(const Op& op);

// Whether both do the same to the same inputs.
bool same_op(const Op& a, const Op& b);

}  // namespace limber
