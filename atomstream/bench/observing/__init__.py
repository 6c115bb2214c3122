"""What metrics and logs cost a service, at fifty times the microscope's rate."""
