module sluicegate-bench

go 1.22
