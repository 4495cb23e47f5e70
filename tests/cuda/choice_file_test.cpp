// The file of measured choices: no GPU is needed for it, only a build with kernels/cuda/runtime.
#if defined(LIMBER_CUDA)
#include "kernels/cuda/runtime/choice_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.h"

namespace limber::test {
namespace {

using kernels::gpu::ChoiceFile;

class ChoiceFileTest : public testing::Test {
 protected:
  std::string path(const char* name = "choices") const { return folder_.path(name); }
  std::string text() const {
    std::ifstream in(path(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  // What the constructor says on stderr of a file with this text.
  std::string told(const std::string& text_of_file) {
    folder_.write("choices", text_of_file);
    testing::internal::CaptureStderr();
    ChoiceFile choices(path());
    choices.add("key", "choice");
    choices.add("other", "choice");
    EXPECT_NE(choices.find("key"), nullptr);  // in this program it holds
    EXPECT_EQ(choices.find("a"), nullptr);
    return testing::internal::GetCapturedStderr();
  }

  TempFolder folder_;
};

TEST_F(ChoiceFileTest, KeepsWhatWasAdded) {
  ChoiceFile first(path());
  EXPECT_EQ(first.find("conv 3x3"), nullptr);
  first.add("conv 3x3", "34 2=1");
  first.add("conv 1x1", "7");
  const ChoiceFile second(path());
  ASSERT_NE(second.find("conv 3x3"), nullptr);
  EXPECT_EQ(*second.find("conv 3x3"), "34 2=1");
  EXPECT_EQ(*second.find("conv 1x1"), "7");
  EXPECT_EQ(text(), "limber choices 1\nconv 1x1\t7\nconv 3x3\t34 2=1\n");
}

TEST_F(ChoiceFileTest, TwoProgramsAddToOneFile) {
  ChoiceFile one(path()), other(path());
  one.add("a", "1");
  other.add("b", "2");
  const ChoiceFile both(path());
  EXPECT_NE(both.find("a"), nullptr);
  EXPECT_NE(both.find("b"), nullptr);
  size_t files = 0;  // nothing temporary stays
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path()).parent_path()))
    ++files;
  EXPECT_EQ(files, 1u);
}

TEST_F(ChoiceFileTest, ADamagedFileIsIgnoredWithOneLineAndStays) {
  for (const std::string& damaged :
       {std::string("limber choices 1\na\t1\nb without a choice\n"),
        std::string("limber choices 1\na\t1\nb\t2"),  // cut off
        std::string("limber choices 1\na\t\n"), std::string("{\"a\": 1}\n"), std::string("")}) {
    const std::string said = told(damaged);
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_NE(said.find(path()), std::string::npos) << said;
    EXPECT_EQ(text(), damaged);
  }
}

TEST_F(ChoiceFileTest, WhatCannotBeWrittenIsSaidOnce) {
  testing::internal::CaptureStderr();
  ChoiceFile choices(path("no such folder/choices"));
  choices.add("a", "1");
  choices.add("b", "2");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_EQ(*choices.find("b"), "2");
}

}  // namespace
}  // namespace limber::test
#endif  // LIMBER_CUDA
