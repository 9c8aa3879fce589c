namespace Ferry.Relay;

/// <summary>How one direction of a transfer ended.</summary>
internal enum FlowEnd
{
    /// <summary>The leg that is read ended in order, and all of it was handed on.</summary>
    Closed,

    /// <summary>The leg that is read ended in TLS without a close_notify: its stream was cut off. All that came was handed on.</summary>
    Truncated,

    /// <summary>Nobody needs more of it.</summary>
    Stopped,

    /// <summary>The leg that is read was reset, or is no TLS any more.</summary>
    ReadFailed,

    /// <summary>The leg that is written was reset, or its TLS has failed.</summary>
    WriteFailed,

    /// <summary>The leg that is written takes no more, but had ended its own stream in order before it said so: what it sent is whole.</summary>
    ReceiverClosed,
}
