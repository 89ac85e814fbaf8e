#!/bin/sh
for i in 1 2 3 4 5; do
  echo "line $i of 5, written at $(date +%T) on $(uname -n)"
  sleep 0.3
done
