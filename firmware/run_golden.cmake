# SPDX-License-Identifier: Apache-2.0
# Runs a model on the emulated board and compares each output with recorded ones, byte for byte.
#
# cmake -DEMULATOR="qemu-system-arm;…" -DIMAGE=run_model.elf -DPSRAM=0x21000000 -DMODEL=m.tflite -DGOLDEN=m.json
#       -DCASES="0;1;2" [-DPAGE=bytes] [-DBUDGET=instructions] [-DMORE_PERCENT_MAX=n] -P run_golden.cmake
# With a page the weights are streamed through it. An inference of more instructions than the budget fails; and with
# MORE_PERCENT_MAX one that takes so many percent more than the same with weights in place.
# The golden file has cases[] with outputs[] of {bytes, hex}; case 0 is all zero points, 1 all highest values, the
# others random with seed case - 1 (golden_input.h).
file(SIZE ${MODEL} model_bytes)
file(READ ${GOLDEN} golden)
math(EXPR case_address "${PSRAM} + 4")
math(EXPR arena_address "${PSRAM} + 8")
math(EXPR page_address "${PSRAM} + 12")
math(EXPR model_address "${PSRAM} + 4096")

if(NOT PAGE)
  set(PAGE 0)
endif()

# Sets `printed` to what the image prints, and `instructions` to the instructions of the inference.
function(run_image case page)
  execute_process(
    COMMAND timeout 120 ${EMULATOR} -kernel ${IMAGE} -device loader,addr=${PSRAM},data=${model_bytes},data-len=4
            -device loader,addr=${case_address},data=${case},data-len=4
            -device loader,addr=${arena_address},data=0,data-len=4
            -device loader,addr=${page_address},data=${page},data-len=4
            -device loader,file=${MODEL},addr=${model_address},force-raw=on
    OUTPUT_VARIABLE printed RESULT_VARIABLE exit_code)
  if(NOT exit_code EQUAL 0)
    message(FATAL_ERROR "${MODEL}, case ${case}: exit code ${exit_code}\n${printed}")
  endif()
  string(REGEX MATCH "invoke_instructions ([0-9]+)" line "${printed}")
  set(instructions ${CMAKE_MATCH_1} PARENT_SCOPE)
  set(printed "${printed}" PARENT_SCOPE)
endfunction()

foreach(case IN LISTS CASES)
  if(MORE_PERCENT_MAX)
    run_image(${case} 0)
    math(EXPR BUDGET "${instructions} * (100 + ${MORE_PERCENT_MAX}) / 100")
  endif()
  run_image(${case} ${PAGE})
  string(REGEX MATCHALL "output [0-9a-f]+" lines "${printed}")
  string(JSON count LENGTH "${golden}" cases ${case} outputs)
  list(LENGTH lines line_count)
  if(NOT line_count EQUAL count)
    message(FATAL_ERROR "${MODEL}, case ${case}: ${line_count} outputs instead of ${count}\n${printed}")
  endif()
  math(EXPR last "${count} - 1")
  foreach(index RANGE ${last})
    string(JSON expected GET "${golden}" cases ${case} outputs ${index} hex)
    list(GET lines ${index} line)
    if(NOT line STREQUAL "output ${expected}")
      message(FATAL_ERROR "${MODEL}, case ${case}: output ${index} is\n${line}\ninstead of\noutput ${expected}")
    endif()
  endforeach()
  string(REGEX MATCH "arena_bytes [0-9]+" arena "${printed}")
  if(BUDGET AND instructions GREATER BUDGET)
    message(FATAL_ERROR "${MODEL}, case ${case}: ${instructions} instructions, more than the budget of ${BUDGET}")
  endif()
  message(STATUS "case ${case}: exact; ${arena}, ${instructions} instructions")
endforeach()
