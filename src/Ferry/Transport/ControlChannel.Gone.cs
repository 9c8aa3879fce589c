namespace Ferry.Transport;

internal sealed partial class ControlChannel
{
    /// <summary>Whether the peer has closed its direction or reset the connection, whatever it may have sent before. Reads nothing and does not wait.</summary>
    public bool HasPeerGone() => _connection.HasHungUp();
}
