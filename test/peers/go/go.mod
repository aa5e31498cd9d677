module hoop.test/peers

go 1.19
