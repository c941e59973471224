"""What is destroyed while the executor gets ready does not end it."""

import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Empty

from radgs_reg_ros.steady_executor import SteadyExecutor


def test_a_subscription_whose_events_are_destroyed_meanwhile_is_passed_over(domain):
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("destroying")
    executor = SteadyExecutor(num_threads=2)
    executor.add_node(node)
    called: list[int] = []
    try:
        events = SubscriptionEventCallbacks(incompatible_qos=lambda event: None)
        subscription = node.create_subscription(Empty, "gone", called.append, 1, event_callbacks=events)
        (handler, *_) = subscription.event_handlers
        node.create_timer(0.01, lambda: called.append(1), callback_group=ReentrantCallbackGroup())
        begin = handler.__class__.add_to_wait_set

        def destroyed_first(self, wait_set):
            if subscription in node.subscriptions:
                node.destroy_subscription(subscription)  # as a transition in another thread
                self.destroy()
                with self:  # raises: it is gone
                    pass
            begin(self, wait_set)

        handler.add_to_wait_set = destroyed_first.__get__(handler)
        for _ in range(20):
            executor.spin_once(timeout_sec=1.0)
        assert called, "the executor went on"
        assert subscription not in node.subscriptions
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown()
