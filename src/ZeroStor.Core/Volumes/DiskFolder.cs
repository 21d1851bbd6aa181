using System.Globalization;

namespace ZeroStor.Volumes;

/// <summary>What lies where in a disk's folder, how it is made, and how it is told from any other folder.
/// </summary>
internal static class DiskFolder
{
    internal const string VolumesName = "volumes";

    private const string LockName = "lock";
    private const string NewSuperblockName = "superblock.new";
    private const string VolumeSuffix = ".vol";

    // What a file system's own tools put at the root of a mount.
    private const string LostAndFound = "lost+found";

    internal static string LockPath(string folder) => Path.Combine(folder, LockName);

    internal static string SuperblockPath(string folder) => Path.Combine(folder, Superblock.FileName);

    internal static string VolumesPath(string folder) => Path.Combine(folder, VolumesName);

    internal static string VolumePath(string folder, uint number) =>
        Path.Combine(folder, VolumesName, VolumeName(number));

    internal static string VolumeName(uint number) =>
        number.ToString("d8", CultureInfo.InvariantCulture) + VolumeSuffix;

    /// <summary>Numbers of the volumes in the folder, ascending; whatever else lies there is not looked at.
    /// </summary>
    internal static List<uint> ListVolumes(IDiskFiles files, string folder)
    {
        var numbers = new List<uint>();
        foreach (string name in files.List(VolumesPath(folder)))
        {
            if (name.EndsWith(VolumeSuffix, StringComparison.Ordinal)
                && uint.TryParse(
                    name.AsSpan(0, name.Length - VolumeSuffix.Length),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out uint number)
                && name == VolumeName(number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }

    /// <summary>Makes a disk of a folder. The superblock appears under its name whole and synced, as the last
    /// step; a crash before it leaves what <see cref="Peek"/> calls no disk and a next format begins again.
    /// </summary>
    internal static void Format(IDiskFiles files, string folder, FabricId fabric, DiskId disk, IEntropy entropy)
    {
        if (disk.Value == 0)
        {
            throw ZeroStorException.Invalid($"The disk in {folder} needs a number above 0.");
        }

        try
        {
            // Looked at before the lock, so that nothing is left in a folder that is somebody else's, and
            // under it, because another process may have made the same folder a disk meanwhile.
            files.CreateFolder(folder);
            DemandNoDisk(files, folder);
            using IDisposable held = Lock(files, folder);
            DemandNoDisk(files, folder);
            files.CreateFolder(VolumesPath(folder));
            string newPath = Path.Combine(folder, NewSuperblockName);
            if (files.Identify(newPath) is not null)
            {
                files.Unlink(newPath);
            }

            using (IDiskFile file = files.Open(newPath, FileUse.Create))
            {
                SuperblockFile.WriteNew(
                    file, new Superblock(fabric, disk, 0) { Life = Id128.Random(entropy), IsClean = true });
            }

            files.SyncFolder(folder);
            files.Rename(newPath, SuperblockPath(folder));
            files.SyncFolder(folder);
        }
        catch (OsException e)
        {
            throw new ZeroStorException(
                e.IsNoSpace ? ErrorKind.DiskFull : ErrorKind.DiskFailed,
                $"{folder} could not be made a disk, because {e.Message}: see to the file system.",
                e);
        }
    }

    private static void DemandNoDisk(IDiskFiles files, string folder)
    {
        if (Peek(files, folder) is { } other)
        {
            throw new ZeroStorException(
                ErrorKind.AlreadyExists,
                $"{folder} already is disk {other.Disk} of fabric {other.Fabric}: choose another folder.");
        }
    }

    internal static Superblock? Peek(IDiskFiles files, string folder)
    {
        try
        {
            if (!files.FolderExists(folder))
            {
                return null;
            }

            IReadOnlyList<string> names = files.List(folder);
            if (names.Contains(Superblock.FileName))
            {
                using var superblock = SuperblockFile.Open(files, folder, FileUse.Read);
                return superblock.Current;
            }

            string? foreign = names.FirstOrDefault(
                n => n is not (LockName or NewSuperblockName or VolumesName or LostAndFound));
            if (foreign is null && names.Contains(VolumesName))
            {
                IReadOnlyList<string> inside = files.List(VolumesPath(folder));
                foreign = inside.Count > 0 ? Path.Combine(VolumesName, inside[0]) : null;
            }

            return foreign is null
                ? null
                : throw ZeroStorException.Corrupt(
                    $"{folder} is no disk but holds '{foreign}': a disk wants an empty folder.");
        }
        catch (OsException e)
        {
            throw new ZeroStorException(
                ErrorKind.DiskFailed, $"{folder} cannot be read, because {e.Message}: see to the file system.", e);
        }
    }

    /// <summary>Whether a name in a disk's folder is one that the disk, or the file system, gave.</summary>
    internal static bool IsOurs(string name) =>
        name is Superblock.FileName or LockName or VolumesName or LostAndFound;

    /// <summary>Keeps every other process, and every other opening in this one, out until disposed.</summary>
    internal static IDisposable Lock(IDiskFiles files, string folder, FileUse use = FileUse.ReadWrite) =>
        files.TryLock(LockPath(folder), use)
        ?? throw new ZeroStorException(
            ErrorKind.Busy, $"The disk in {folder} is open already, here or in another process: close it there.");
}
