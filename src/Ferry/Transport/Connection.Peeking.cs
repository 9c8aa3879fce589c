using System.Net.Sockets;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

internal sealed partial class Connection
{
    /// <summary>Looks at what is there, which stays there for the next <see cref="Receive"/>, and never waits.</summary>
    /// <inheritdoc cref="Receive" path="/*[not(self::summary)]"/>
    public unsafe int Peek(Span<byte> buffer, out SocketError error)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var count = (int)Libc.recv(Handle, bytes, (nuint)buffer.Length, Libc.MSG_DONTWAIT | Libc.MSG_PEEK);
                if (count >= 0)
                {
                    error = SocketError.Success;
                    return count;
                }
                if (IsFailure(out error))
                    return 0;
            }
        }
    }
}
