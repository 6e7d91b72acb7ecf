"""What people see and press: panels, buttons, sentences for errors."""
