# Read by ctest when it starts: one test per case and world size, golden.<case>.w<N>; golden.<case>.sharded, one model
# call on one rank and on several; and golden.<case>.inspect.
#   TRADEWIND_GOLDEN_WORLD_SIZES   world sizes, blanks between (default: 1 2 3 4)
#   TRADEWIND_FIXTURES             a folder whose subfolders latest/, legacy/ and demo/ hold further cases. Those of
#                                  golden_refused are skipped once they are seen to be refused properly.
#   TRADEWIND_CHECKPOINTS          a folder of checkpoints NAME.ckpt, each with what the reference makes of them in
#                                  NAME.npz (x and y; of an ensemble noise and fcstep): golden.checkpoint-NAME.w<N>
cmake_policy(VERSION 3.25)
set(golden_source [==[@CMAKE_CURRENT_SOURCE_DIR@]==])
set(golden_scratch [==[@CMAKE_CURRENT_BINARY_DIR@]==])
set(golden_bin [==[@CMAKE_RUNTIME_OUTPUT_DIRECTORY@]==])
set(golden_examples [==[@PROJECT_SOURCE_DIR@/examples]==])
set(golden_world_sizes "$ENV{TRADEWIND_GOLDEN_WORLD_SIZES}")
if(NOT golden_world_sizes)
  set(golden_world_sizes 1 2 3 4)
endif()
string(REGEX MATCHALL "[0-9]+" golden_world_sizes "${golden_world_sizes}")
set(golden_several ${golden_world_sizes})
list(REMOVE_ITEM golden_several 1)

# Further cases that no build runs yet, as patterns of their names. All others must run.
set(golden_refused "")

# golden_case(DIR MUST_RUN): the tests of one case folder. Of two folders with the same name the first one counts.
set(golden_known "")
macro(golden_case dir must_run)
  get_filename_component(golden_name "${dir}" NAME)
  if(NOT golden_name IN_LIST golden_known)
    list(APPEND golden_known "${golden_name}")
    foreach(size IN LISTS golden_world_sizes)
      add_test("golden.${golden_name}.w${size}" "${golden_source}/run_case.sh" "${dir}" "${size}"
               "${golden_scratch}/${golden_name}.w${size}")
      set_tests_properties("golden.${golden_name}.w${size}" PROPERTIES LABELS golden SKIP_RETURN_CODE 77 TIMEOUT 600
                           ENVIRONMENT "TRADEWIND_BIN=${golden_bin};TRADEWIND_CASE_MUST_RUN=${must_run}")
    endforeach()
    if(golden_several AND EXISTS "${dir}/reference.npz")
      add_test("golden.${golden_name}.sharded" "${golden_source}/sharded_case.sh" "${dir}"
               "${golden_scratch}/${golden_name}.sharded" ${golden_several})
      set_tests_properties("golden.${golden_name}.sharded" PROPERTIES LABELS golden SKIP_RETURN_CODE 77 TIMEOUT 600
                           ENVIRONMENT "TRADEWIND_BIN=${golden_bin};TRADEWIND_CASE_MUST_RUN=${must_run}")
    endif()
    if(${must_run})
      add_test("golden.${golden_name}.inspect" "${golden_source}/inspect_case.sh" "${dir}")
      set_tests_properties("golden.${golden_name}.inspect" PROPERTIES LABELS golden
                           ENVIRONMENT "TRADEWIND_BIN=${golden_bin}")
    endif()
  endif()
endmacro()

file(GLOB golden_own "${golden_source}/*/case.json" "${golden_source}/legacy/*/case.json"
     "${golden_examples}/*/case.json")
foreach(case IN LISTS golden_own)
  get_filename_component(case "${case}" DIRECTORY)
  golden_case("${case}" 1)
endforeach()
if(NOT "$ENV{TRADEWIND_FIXTURES}" STREQUAL "")
  file(GLOB golden_further "$ENV{TRADEWIND_FIXTURES}/latest/*/case.json" "$ENV{TRADEWIND_FIXTURES}/demo/*/case.json"
       "$ENV{TRADEWIND_FIXTURES}/legacy/*/case.json")
  foreach(case IN LISTS golden_further)
    get_filename_component(case "${case}" DIRECTORY)
    get_filename_component(name "${case}" NAME)
    set(must_run 1)
    foreach(pattern IN LISTS golden_refused)
      if(name MATCHES "${pattern}")
        set(must_run 0)
      endif()
    endforeach()
    golden_case("${case}" ${must_run})
  endforeach()
endif()

file(GLOB golden_checkpoints "$ENV{TRADEWIND_CHECKPOINTS}/*.ckpt")
if("$ENV{TRADEWIND_CHECKPOINTS}" STREQUAL "")
  set(golden_checkpoints "")
endif()
foreach(checkpoint IN LISTS golden_checkpoints)
  get_filename_component(name "${checkpoint}" NAME_WLE)
  foreach(size IN LISTS golden_world_sizes)
    set(test "golden.checkpoint-${name}.w${size}")
    add_test("${test}" "${golden_source}/checkpoint_case.sh" "${checkpoint}" "${size}" "${golden_scratch}/${test}")
    set_tests_properties("${test}" PROPERTIES LABELS golden TIMEOUT 600 ENVIRONMENT "TRADEWIND_BIN=${golden_bin}")
  endforeach()
endforeach()

# Inputs, filters and outputs that hold others.
foreach(size IN LISTS golden_world_sizes)
  add_test("golden.trees.w${size}" "${golden_source}/trees_case.sh" "${size}" "${golden_scratch}/trees.w${size}")
  set_tests_properties("golden.trees.w${size}" PROPERTIES LABELS golden TIMEOUT 600 ENVIRONMENT "TRADEWIND_BIN=${golden_bin}")
endforeach()

# A dataset of anemoi-datasets as input.
foreach(size IN LISTS golden_world_sizes)
  add_test("golden.dataset.w${size}" "${golden_source}/dataset_case.sh" "${size}" "${golden_scratch}/dataset.w${size}")
  set_tests_properties("golden.dataset.w${size}" PROPERTIES LABELS golden TIMEOUT 600 ENVIRONMENT "TRADEWIND_BIN=${golden_bin}")
endforeach()

# Filters of anemoi-transform.
foreach(size IN LISTS golden_world_sizes)
  add_test("golden.filters.w${size}" "${golden_source}/filters_case.sh" "${size}" "${golden_scratch}/filters.w${size}")
  set_tests_properties("golden.filters.w${size}" PROPERTIES LABELS golden TIMEOUT 600 ENVIRONMENT "TRADEWIND_BIN=${golden_bin}")
endforeach()

# The skill of the example's forecast, as its reader sees it.
list(GET golden_world_sizes 0 size)
add_test("golden.rossby-haurwitz.skill" "${golden_examples}/rossby-haurwitz/score.sh"
         "${golden_scratch}/rossby-haurwitz.w${size}/forecast-f32.grib")
set_tests_properties("golden.rossby-haurwitz.skill" PROPERTIES LABELS golden DEPENDS "golden.rossby-haurwitz.w${size}"
                     ENVIRONMENT "TRADEWIND_BIN=${golden_bin}")
