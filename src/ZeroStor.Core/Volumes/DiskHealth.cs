namespace ZeroStor.Volumes;

/// <summary>Whether a disk may be written, read, or neither, and why. It only ever gets worse; a new opening
/// begins anew. Thread-safe.</summary>
internal sealed class DiskHealth(DiskId disk)
{
    private readonly Lock _lock = new();
    private volatile HomeAnswer? _refusesWrites;
    private volatile HomeAnswer? _refusesAll;

    internal DiskState State =>
        _refusesAll is not null ? DiskState.Missing
        : _refusesWrites is not null ? DiskState.ReadOnly
        : DiskState.Up;

    /// <summary>The answer to every write; null while writes are welcome.</summary>
    internal HomeAnswer? RefusesWrites => _refusesAll ?? _refusesWrites;

    /// <summary>The answer to every order whatsoever; null while the disk is there.</summary>
    internal HomeAnswer? RefusesAll => _refusesAll;

    /// <summary>A write or a sync failed. What the operating system still holds of it may be lost without a
    /// word, so it is never tried again.</summary>
    internal void FailWrites(Exception failure)
    {
        lock (_lock)
        {
            _refusesWrites ??= new HomeAnswer(
                ErrorKind.DiskFailed,
                $"Disk {disk} takes no writes since {failure.Message}; what was synced is still served: "
                + "replace it, or reset it when the cause is gone.");
        }
    }

    /// <summary>For what must not fail: where room was made before, even "no space" is a device that breaks
    /// its word.</summary>
    internal void FailFor(Action action)
    {
        try
        {
            action();
        }
        catch (OsException e)
        {
            FailWrites(e);
            throw;
        }
    }

    /// <summary>The answer to whoever waits for what failed so: out of room while growing is an answer, and
    /// every other failure ends the writing for good.</summary>
    internal HomeAnswer Refuse(Exception failure)
    {
        if (RefusesWrites is null && failure is OsException { IsNoSpace: true })
        {
            return Full();
        }

        FailWrites(failure);
        return RefusesWrites!;
    }

    /// <summary>The answer to what needs room that is not there; no failure.</summary>
    internal HomeAnswer Full() => new(
        ErrorKind.DiskFull, $"Disk {disk} has no room to grow: delete something, or add disks.");

    internal void Vanish(string how)
    {
        lock (_lock)
        {
            _refusesAll ??= new HomeAnswer(
                ErrorKind.DiskOffline, $"Disk {disk} answers nothing, because {how}: is it mounted?");
        }
    }

    internal void Close()
    {
        lock (_lock)
        {
            _refusesAll ??= new HomeAnswer(
                ErrorKind.DiskOffline, $"Disk {disk} is closed here: ask the map who has it.");
        }
    }
}
