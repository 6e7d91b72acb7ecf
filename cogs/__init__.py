"""Discord as dashboard and portal: commands, buttons, messages; every decision is a service's."""
