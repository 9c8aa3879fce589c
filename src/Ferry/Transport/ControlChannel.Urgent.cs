using Ferry.Transport.Linux;

namespace Ferry.Transport;

// TCP urgent data (RFC 854: the Synch; RFC 959 §4.1.3: ABOR). The byte stays in line, and where it stood is kept.
internal sealed partial class ControlChannel
{
    private readonly bool _seesUrgent;
    private int _urgent = -1;

    /// <summary>Offset in <see cref="Buffered"/> of a byte that was sent as urgent; -1 when there is none.</summary>
    public int UrgentOffset => _urgent < _start ? -1 : _urgent - _start;

    /// <summary>Sends bytes of which the last is urgent (MSG_OOB), after everything written before. The channel must have one writer.</summary>
    public async ValueTask SendUrgentAsync(ReadOnlyMemory<byte> bytes)
    {
        await FlushAsync().ConfigureAwait(false);
        await SendAllAsync(bytes, isUrgent: true).ConfigureAwait(false);
    }

    // A read ends before an urgent byte (tcp(7)), so the byte is always the first of the next one.
    private void NoteUrgentMark()
    {
        if (_seesUrgent && Libc.IsAtUrgentMark(_connection.Handle))
            _urgent = _end;
    }
}
