namespace ZeroStor.Volumes;

/// <summary>Checks a disk that nobody has open, to its last byte: both slots of the superblock, both headers
/// of each volume, every record with its extensions and payload, and every footer against the records.
/// Findings are told as they are met. The memory holds what the footer of one volume lists, never all
/// records. Without <see cref="Repairs"/> files are opened for reading only. Holds the disk's lock from <see
/// cref="Open(string, bool)"/> to the disposing. Not thread-safe, but for the counts, which anybody may read
/// meanwhile.</summary>
public sealed class DiskCheck : IDisposable
{
    internal const string Rebuilt = "nothing to do but to start the silo: repair rebuilds what was there";

    private readonly IDiskFiles _files;
    private readonly string _folder;
    private readonly IDisposable? _lock;
    private readonly SuperblockFile _superblock;
    private readonly List<uint> _numbers;
    private Action<DiskFinding> _tell = _ => { };
    private long _doneBytes;
    private bool _needsAnnouncement;

    private DiskCheck(IDiskFiles files, string folder, IDisposable? held, SuperblockFile superblock, bool repairs)
    {
        _files = files;
        _folder = folder;
        _lock = held;
        _superblock = superblock;
        Repairs = repairs;
        _numbers = DiskFolder.ListVolumes(files, folder);
        TotalBytes = Superblock.FileBytes + _numbers.Sum(
            n => files.Identify(DiskFolder.VolumePath(folder, n))?.Length ?? 0);
    }

    public DiskId Disk => _superblock.Current.Disk;

    public FabricId Fabric => _superblock.Current.Fabric;

    /// <summary>Whether footers that are missing or damaged are written anew. Nothing else is ever changed
    /// but what announces that in the superblock, and it may end at any moment as a disk may.</summary>
    public bool Repairs { get; }

    public int Volumes => _numbers.Count;

    public long TotalBytes { get; }

    public long DoneBytes => Interlocked.Read(ref _doneBytes);

    /// <summary>Whole records of shards, dead ones and copies among them.</summary>
    public long Shards { get; private set; }

    /// <summary>Whole records of other kinds.</summary>
    public long OtherRecords { get; private set; }

    /// <summary>Findings that are damage.</summary>
    public long Damaged { get; private set; }

    /// <exception cref="ZeroStorException">NotFound: the folder is no disk. Busy: somebody has it open.
    /// Corrupt: there is no telling whose disk it is. DiskFailed: the file system refuses.</exception>
    public static DiskCheck Open(string path, bool repairs) => Open(OsFile.Files, path, repairs);

    internal static DiskCheck Open(IDiskFiles files, string folder, bool repairs = false)
    {
        if (DiskFolder.Peek(files, folder) is null)
        {
            throw ZeroStorException.NotFound($"{folder} is no disk: give the folder in which 'superblock' lies.");
        }

        IDisposable? held = null;
        SuperblockFile? superblock = null;
        try
        {
            // A disk that was ever opened has the file; without it there is nobody to keep out.
            bool mayBeHeld = repairs || files.Identify(DiskFolder.LockPath(folder)) is not null;
            FileUse use = repairs ? FileUse.ReadWrite : FileUse.Read;
            held = mayBeHeld ? DiskFolder.Lock(files, folder, use) : null;
            superblock = SuperblockFile.Open(files, folder, use);
            return new DiskCheck(files, folder, held, superblock, repairs);
        }
        catch (Exception e)
        {
            superblock?.Dispose();
            held?.Dispose();
            if (e is OsException failure)
            {
                throw Failed(folder, failure);
            }

            throw;
        }
    }

    /// <summary>Checks everything, once.</summary>
    /// <param name="tell">Is given each finding as it is met.</param>
    /// <param name="cancel">Ends it between two records, or before a footer is written.</param>
    /// <exception cref="ZeroStorException">DiskFailed: a file cannot be opened or, when repairing, written.
    /// Corrupt: of a format that this version does not know.</exception>
    public void Run(Action<DiskFinding> tell, CancellationToken cancel)
    {
        _tell = tell;
        try
        {
            CheckNames();
            CheckSuperblock();
            CheckNumbers();
            _doneBytes = Superblock.FileBytes;
            foreach (uint number in InOrder())
            {
                CheckVolume(number, cancel);
            }
        }
        catch (OsException e)
        {
            throw Failed(_folder, e);
        }
    }

    public void Dispose()
    {
        _superblock.Dispose();
        _lock?.Dispose();
    }

    /// <summary>One volume alone.</summary>
    internal void Run(uint number, Action<DiskFinding> tell)
    {
        _tell = tell;
        CheckVolume(number, CancellationToken.None);
    }

    private void CheckVolume(uint number, CancellationToken cancel)
    {
        uint last = Math.Max(_numbers[^1], _superblock.Current.LastVolume);
        long before = _doneBytes;
        using IDiskFile file = _files.Open(
            DiskFolder.VolumePath(_folder, number), Repairs ? FileUse.ReadWrite : FileUse.Read);
        long length = file.Identify().Length;
        var check = new VolumeCheck(
            file,
            length,
            number,
            isNewest: number == last,
            _superblock,
            Tell,
            at => Interlocked.Exchange(ref _doneBytes, before + at),
            cancel);
        check.Run();
        Shards += check.Shards;
        OtherRecords += check.OtherRecords;
        _doneBytes = before + length;
        _needsAnnouncement |= number == _superblock.Current.FooterVolume && !check.HasGoodFooter;
        if (Repairs && check.WantsFooter)
        {
            Repair(file, number, check, cancel);
        }
    }

    // The superblock announces one volume at a time; one that it announces already comes first.
    private IEnumerable<uint> InOrder()
    {
        uint announced = _superblock.Current.FooterVolume;
        return Repairs ? _numbers.OrderBy(n => n == announced ? 0 : n) : _numbers;
    }

    private void Repair(IDiskFile file, uint number, VolumeCheck check, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        uint announced = _superblock.Current.FooterVolume;
        if (_needsAnnouncement && announced != number)
        {
            Tell(new DiskFinding(
                DiskFindingKind.FooterMissing, VolumeFile(number), check.RecordsEnd,
                $"its footer is not written before that of volume {announced}, which cannot be read",
                "start the silo: it writes both, or replace the device"));
            return;
        }

        Tell(FooterRepair.Run(file, number, check, _superblock));
        _needsAnnouncement = _superblock.Current.FooterVolume != 0;
    }

    private static ZeroStorException Failed(string folder, OsException failure) => new(
        ErrorKind.DiskFailed,
        $"The disk in {folder} cannot be checked, because {failure.Message}: see to the file system.",
        failure);

    private void Tell(DiskFinding finding)
    {
        Damaged += finding.IsDamage ? 1 : 0;
        _tell(finding);
    }

    private void CheckNames()
    {
        HashSet<string> volumes = [.. _numbers.Select(DiskFolder.VolumeName)];
        IEnumerable<string> unknown = _files.List(_folder).Where(n => !DiskFolder.IsOurs(n))
            .Concat(_files.List(DiskFolder.VolumesPath(_folder)).Where(n => !volumes.Contains(n))
                .Select(n => Path.Combine(DiskFolder.VolumesName, n)));
        foreach (string name in unknown.Order(StringComparer.Ordinal))
        {
            Tell(new DiskFinding(
                DiskFindingKind.UnknownFile, name, 0, "the disk did not put it there and never reads it",
                "remove it if you do not know it"));
        }
    }

    private void CheckSuperblock()
    {
        using IDiskFile file = _files.Open(DiskFolder.SuperblockPath(_folder), FileUse.Read);
        byte[] bytes = new byte[Superblock.FileBytes];
        int read = file.Read(bytes, 0);
        for (int slot = 0; slot < 2; slot++)
        {
            long at = (long)slot * Superblock.SlotBytes;
            ReadOnlySpan<byte> block = bytes.AsSpan((int)at, Superblock.SlotBytes);
            if (Superblock.Read(block) is not { } superblock)
            {
                Tell(new DiskFinding(
                    DiskFindingKind.Superblock, Superblock.FileName, at,
                    "one of the two superblocks is damaged, perhaps torn by the end of the power",
                    "nothing to do but to start the silo: the other one counts, and this one is written anew"));
            }
            else if (superblock.Sequence % 2 != (ulong)slot)
            {
                Tell(new DiskFinding(
                    DiskFindingKind.Superblock, Superblock.FileName, at,
                    "a superblock stands in the other one's place", "start the silo: it is written anew"));
            }
            else if (block[Superblock.FieldBytes..].ContainsAnyExcept((byte)0))
            {
                TellFiller(Superblock.FileName, at + Superblock.FieldBytes);
            }
        }

        if (read < bytes.Length || file.Identify().Length != Superblock.FileBytes)
        {
            Tell(new DiskFinding(
                DiskFindingKind.Superblock, Superblock.FileName, read,
                $"the file has another length than {Superblock.FileBytes} bytes",
                "start the silo: it is written anew"));
        }
    }

    // Only a disk that was closed in order says for sure which volume was its newest.
    private void CheckNumbers()
    {
        Superblock superblock = _superblock.Current;
        uint newest = _numbers.Count > 0 ? _numbers[^1] : 0;
        bool isSure = superblock.IsClean && _superblock.HasBothSlots;
        if (isSure && superblock.MarkVolume != 0 && !_numbers.Contains(superblock.MarkVolume))
        {
            Tell(new DiskFinding(
                DiskFindingKind.MissingVolume, VolumeFile(superblock.MarkVolume), 0,
                "the superblock names this volume and it is not there: all its shards are lost",
                $"put it back if you have it; else {Rebuilt}"));
        }
        else if (isSure && newest > superblock.MarkVolume)
        {
            Tell(new DiskFinding(
                DiskFindingKind.Superblock, Superblock.FileName, 0,
                $"the disk was closed in order with volume {superblock.MarkVolume} as its newest, and "
                    + $"{newest} is there: one of them was put there from elsewhere or from another time",
                "put the right superblock back if you have it; else start the silo and run zs scrub"));
        }
    }

    private void TellFiller(string file, long at) => Tell(Filler(file, at));

    internal static DiskFinding Filler(string file, long at) => new(
        DiskFindingKind.Filler, file, at, "bytes without a meaning are not zeros: the device changed them",
        "no data is touched; watch the device");

    internal static string VolumeFile(uint number) =>
        Path.Combine(DiskFolder.VolumesName, DiskFolder.VolumeName(number));
}
